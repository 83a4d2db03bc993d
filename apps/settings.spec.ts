import { checkEnvironment, mustNotBeEmpty } from './settings.ts';

describe('the settings of a program', () => {
  test.each([
    'LEADGER_DATA',
    'LEADGER_EVENTS',
    'DATABASE_URL',
    'LEADGER_MASTER_KEY',
    'LEADGER_MASTER_KEY_NEXT',
    'HOST',
    'PORT',
    'LEADGER_COMMAND_SECONDS',
    'LEADGER_LEASE_SECONDS',
    'LEADGER_MOST_FEEDS',
    'LEADGER_LOG_LEVEL',
    'SMTP_URL',
    'MAIL_FROM',
    'STRIPE_SECRET_KEY',
  ])('refuse an empty %s, because its default would be something else', (name) => {
    for (const written of ['', ' ', '\t\n'])
      expect(() => checkEnvironment({ [name]: written })).toThrow(`${name} is empty: give it a value, or leave it out`);
  });

  test.each([
    ['LEADGER_LOG_LEVEL', 'loud', 'LEADGER_LOG_LEVEL: loud is not trace, debug'],
    ['HOST', 'http://here', 'HOST: http://here is not a name or an address'],
    ['MAIL_FROM', 'shop', 'MAIL_FROM: shop is not an address'],
    ['SMTP_URL', 'mail.example.com', 'SMTP_URL is not smtp://host:port'],
    ['SMTP_URL', 'https://secret@mail.example.com', 'SMTP_URL is not smtp://host:port'],
    ['STRIPE_SECRET_KEY', 'sk secret', 'STRIPE_SECRET_KEY is not a key'],
  ])('refuse %s=%s, and never repeat a secret', (name, written, why) => {
    expect(() => checkEnvironment({ [name]: written })).toThrow(why);
    if (!why.includes(written)) expect(() => checkEnvironment({ [name]: written })).not.toThrow(written);
  });

  test('are taken as they are where they can be right, and none must be there', () => {
    checkEnvironment({
      HOST: '::1',
      LEADGER_LOG_LEVEL: 'info',
      MAIL_FROM: 'shop@example.com',
      SMTP_URL: 'smtps://user:p%40ss@mail.example.com',
    });
    checkEnvironment({});
    mustNotBeEmpty('--events', undefined);
    expect(() => mustNotBeEmpty('--events', '')).toThrow('--events is empty');
  });
});
