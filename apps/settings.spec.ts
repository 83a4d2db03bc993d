import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { settingNames, settingOf } from './configuration.ts';
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
    'STRIPE_WEBHOOK_SECRET',
    'STRIPE_STATEMENT_PREFIX',
    'LEADGER_WEBHOOKS_TO_THIS_MACHINE',
  ])('refuse an empty %s, because its default would be something else', (name) => {
    for (const written of ['', ' ', '\t\n'])
      expect(() => checkEnvironment({ [name]: written })).toThrow(`${name} is empty: give it a value, or leave it out`);
  });

  test.each([
    ['PORT', '65536', 'PORT: 65536 is not a port, 0 to 65535'],
    ['LEADGER_LEASE_SECONDS', '0', 'LEADGER_LEASE_SECONDS: 0 is not 1 to 3600'],
    ['LEADGER_MOST_FEEDS', '-1', 'LEADGER_MOST_FEEDS: -1 is not 0 to 999999'],
    ['LEADGER_WEBHOOKS_TO_THIS_MACHINE', 'true', 'LEADGER_WEBHOOKS_TO_THIS_MACHINE: true is not yes, no'],
    ['LEADGER_LOG_LEVEL', 'loud', 'LEADGER_LOG_LEVEL: loud is not trace, debug'],
    ['HOST', 'http://here', 'HOST: http://here is not a name or an address'],
    ['PUBLIC_URL', 'shop.example', 'PUBLIC_URL: shop.example is not https://host'],
    ['PUBLIC_URL', 'https://shop.example/api', 'PUBLIC_URL: https://shop.example/api is not https://host'],
    ['ALLOWED_ORIGINS', '*', 'ALLOWED_ORIGINS: * is not https://host'],
    ['TRUSTED_PROXIES', 'proxy', 'TRUSTED_PROXIES: proxy is not addresses and networks'],
    ['MONITORING_NETWORKS', '10.0.0.0/33', 'MONITORING_NETWORKS: 10.0.0.0/33 is not addresses and networks'],
    ['MAIL_FROM', 'shop', 'MAIL_FROM: shop is not an address'],
    ['SMTP_URL', 'mail.example.com', 'SMTP_URL is not smtp://host:port'],
    ['SMTP_URL', 'https://secret@mail.example.com', 'SMTP_URL is not smtp://host:port'],
    ['SMTP_URL', 'smtp://mail..example.com', 'SMTP_URL is not smtp://host:port'],
    ['SMTP_URL', 'smtp://mail.example.com:0', 'SMTP_URL is not smtp://host:port'],
    ['SMTP_URL', 'smtps://mail.example.com:65536', 'SMTP_URL is not smtp://host:port'],
    ['SMTP_URL', 'smtps://user:wo%zzrd@mail.example.com', 'SMTP_URL is not smtp://host:port'],
    ['SUPPORT_IMAP_URL', 'imaps://u:wo%zzrd@mail.example.com', 'SUPPORT_IMAP_URL is not imaps://'],
    ['SUPPORT_IMAP_URL', 'imaps://u:p@mail.example.com:0', 'SUPPORT_IMAP_URL is not imaps://'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://collector:0', 'OTEL_EXPORTER_OTLP_ENDPOINT is not http://host:port'],
    ['MAIL_FROM', 'shop@mail..example.com', 'MAIL_FROM: shop@mail..example.com is not an address'],
    ['MAIL_FROM', 'shop@mail.example.com.', 'MAIL_FROM: shop@mail.example.com. is not an address'],
    ['MAIL_FROM', 'sh\u200bop@example.com', 'MAIL_FROM: sh\u200bop@example.com is not an address'],
    ['STRIPE_SECRET_KEY', 'sk secret', 'STRIPE_SECRET_KEY is not a key'],
    ['STRIPE_SECRET_KEY', 'pk_test_1', 'STRIPE_SECRET_KEY is not a key of the server (sk_… or rk_…), without spaces'],
    ['STRIPE_WEBHOOK_SECRET', 'sk_test_1', 'STRIPE_WEBHOOK_SECRET is not the secret of an endpoint (whsec_…)'],
    [
      'STRIPE_STATEMENT_PREFIX',
      'DEDICATED MEDIA SOLUTIONS',
      'STRIPE_STATEMENT_PREFIX: DEDICATED MEDIA SOLUTIONS is not the prefix of an account: 2 to 10 characters',
    ],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318', 'OTEL_EXPORTER_OTLP_ENDPOINT is not http://host:port'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http:collector', 'OTEL_EXPORTER_OTLP_ENDPOINT is not http://host:port'],
    ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'http://h/\u001b', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is not http://'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'only-a-key', 'OTEL_EXPORTER_OTLP_HEADERS is not name=value,name=value'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'api key=s', 'OTEL_EXPORTER_OTLP_HEADERS is not name=value,name=value'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'api-key=a%0Ab', 'OTEL_EXPORTER_OTLP_HEADERS is not name=value,name=value'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'api-key=100%', 'OTEL_EXPORTER_OTLP_HEADERS is not name=value,name=value'],
    ['OTEL_SERVICE_NAME', 'a\u001b[2J', 'OTEL_SERVICE_NAME: a\u001b[2J is not a name of up to 200 characters'],
    ['OTEL_TRACES_SAMPLER', 'ratio', 'OTEL_TRACES_SAMPLER: ratio is not always_on, always_off, traceidratio'],
    ['OTEL_TRACES_SAMPLER_ARG', '50%', 'OTEL_TRACES_SAMPLER_ARG: 50% is not a part of all traces, 0 to 1'],
    ['STRIPE_STATEMENT_PREFIX', 'D', 'STRIPE_STATEMENT_PREFIX: D is not the prefix of an account: 2 to 10 characters'],
    [
      'STRIPE_STATEMENT_PREFIX',
      'D*S',
      'STRIPE_STATEMENT_PREFIX: D*S is not the prefix of an account: 2 to 10 characters',
    ],
  ])('refuse %s=%s, and never repeat a secret', (name, written, why) => {
    expect(() => checkEnvironment({ [name]: written })).toThrow(why);
    if (!why.includes(written)) expect(() => checkEnvironment({ [name]: written })).not.toThrow(written);
  });

  test('are taken as they are where they can be right, and none must be there', () => {
    checkEnvironment({
      HOST: '::1',
      PUBLIC_URL: 'https://shop.example:8443',
      ALLOWED_ORIGINS: 'https://app.example, http://localhost:5173',
      TRUSTED_PROXIES: '10.0.0.7, fd00::/8',
      LEADGER_LOG_LEVEL: 'info',
      MAIL_FROM: 'shop@example.com',
      SMTP_URL: 'smtps://user:p%40ss@mail.example.com',
      STRIPE_SECRET_KEY: 'rk_test_1',
      STRIPE_WEBHOOK_SECRET: 'whsec_1',
      STRIPE_STATEMENT_PREFIX: 'DMS',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector.example:4318/otlp',
      OTEL_EXPORTER_OTLP_HEADERS: 'api-key=sec%2Dret, Authorization=Bearer abc==',
      OTEL_SERVICE_NAME: 'leadger west',
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.25',
    });
    for (const MAIL_FROM of ['shop@bücher.example', 'shop@[192.0.2.1]', 'shop@localhost'])
      checkEnvironment({ MAIL_FROM });
    for (const SMTP_URL of ['smtp://127.0.0.1:9', 'smtp://[::1]:25', 'smtp://mail.example.com.'])
      checkEnvironment({ SMTP_URL });
    checkEnvironment({});
    mustNotBeEmpty('--events', undefined);
    expect(() => mustNotBeEmpty('--events', '')).toThrow('--events is empty');
  });

  test('have usual values that could be set', () => {
    for (const name of settingNames) {
      const { usual, otherwise, fits } = settingOf(name);
      expect({ name, is: usual === undefined ? otherwise !== undefined : fits(usual) }).toEqual({ name, is: true });
    }
  });

  test('that docker-compose.yml gives are settings, and none is empty where the outside has none', () => {
    const file = readFileSync(join(import.meta.dirname, '../docker-compose.yml'), 'utf8');
    const given = /^x-leadger-environment:.*\n((?: {2}.*\n)*)/m.exec(file)?.[1] ?? '';
    const names = [...given.matchAll(/^ {2}(\w+):/gm)].map(([, name]) => name as string);
    expect(names.filter((name) => !settingNames.some((known) => known === name))).toEqual([]);
    expect(names.length).toBeGreaterThan(5);
    expect(given).not.toContain(':-}');
  });
});
