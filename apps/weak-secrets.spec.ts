import { randomBytes } from 'node:crypto';
import { weakSecretsIn } from './weak-secrets.ts';

test.each([
  ['LEADGER_MASTER_KEY', '0'.repeat(64)],
  ['LEADGER_MASTER_KEY', 'a1'.repeat(32)],
  ['LEADGER_MASTER_KEY', '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'],
  ['LEADGER_MASTER_KEY', `${'A'.repeat(43)}=`],
  ['LEADGER_MASTER_KEY_NEXT', 'f'.repeat(64)],
  ['SMTP_URL', 'smtps://shop:changeme@mail.example'],
  ['SMTP_URL', 'smtps://shop:short@mail.example'],
  ['SUPPORT_IMAP_URL', 'imaps://shop:password12345@mail.example'],
  ['SUPPORT_WEBHOOK_SECRET', 'aaaaaaaaaaaaaaaaaaaa'],
  ['SUPPORT_WEBHOOK_SECRET', 'my-secret-of-the-hook'],
  ['STRIPE_SECRET_KEY', 'sk_live_1'],
  ['STRIPE_SECRET_KEY', 'rk_live_xxxxxxxxxxxxxxxxxxxxxxxx'],
  ['STRIPE_WEBHOOK_SECRET', 'whsec_test'],
])('%s=%s is weak', (name, written) => expect(weakSecretsIn({ [name]: written })).toEqual([name]));

test('what is random is not weak, and neither is a mail server without a password', () => {
  for (let round = 0; round < 200; round++) {
    const random = randomBytes(24).toString('hex');
    const env = {
      LEADGER_MASTER_KEY: randomBytes(32).toString(round % 2 ? 'hex' : 'base64'),
      SMTP_URL: round % 2 ? `smtps://shop:${random}@mail.example` : 'smtp://mail.example',
      STRIPE_SECRET_KEY: `rk_live_${randomBytes(24).toString('base64url')}`,
    };
    expect(weakSecretsIn(env)).toEqual([]);
  }
});
