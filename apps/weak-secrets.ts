import type { SettingName } from './configuration.ts';

/**
 * Secrets that are no secrets: samples of documentation, words, the same over and over. What is random is never among them.
 */

const SAMPLES =
  /change-?me|example|sample|dummy|placeholder|secret|passw(or)?d|test-?key|qwerty|letmein|123456|abcdef/i;
const LEAST_CHARACTERS = 12;
const LEAST_DIFFERENT = 6;

function isWeakText(secret: string): boolean {
  return secret.length < LEAST_CHARACTERS || isUniform([...secret]) || SAMPLES.test(secret);
}

/** Few values, or each as far from the one before as that from the one before it. */
function isUniform(values: readonly (string | number)[]): boolean {
  if (new Set(values).size < LEAST_DIFFERENT) return true;
  const numbers = values.map((value) => (typeof value === 'number' ? value : value.charCodeAt(0)));
  const steps = numbers.slice(1).map((number, index) => number - (numbers[index] as number));
  return new Set(steps).size === 1;
}

/** As `#vault/master-key` reads it: it has been checked that it is 32 bytes. */
const isWeakKey = (written: string): boolean =>
  isUniform([...Buffer.from(written, /^[0-9a-f]{64}$/i.test(written) ? 'hex' : 'base64')]);

/** What follows the prefix of its kind: `sk_live_…`. */
const isWeakAfterPrefix = (written: string): boolean =>
  isWeakText(written.replace(/^(?:(?:sk|rk)_(?:live|test)|whsec)_/, ''));

function isWeakAddress(written: string): boolean {
  const { password = '' } = URL.parse(written) ?? {};
  return password !== '' && isWeakText(password);
}

const checks = {
  LEADGER_MASTER_KEY: isWeakKey,
  LEADGER_MASTER_KEY_NEXT: isWeakKey,
  SMTP_URL: isWeakAddress,
  SUPPORT_IMAP_URL: isWeakAddress,
  SUPPORT_WEBHOOK_SECRET: isWeakText,
  STRIPE_SECRET_KEY: isWeakAfterPrefix,
  STRIPE_WEBHOOK_SECRET: isWeakAfterPrefix,
} satisfies Partial<Record<SettingName, (written: string) => boolean>>;

/** The settings whose secret anybody could guess. */
export const weakSecretsIn = (env: NodeJS.ProcessEnv): readonly SettingName[] =>
  (Object.keys(checks) as (keyof typeof checks)[]).filter((name) => {
    const written = env[name];
    return written !== undefined && checks[name](written);
  });

export const WEAK = 'a sample, or too simple to be secret: make another one (openssl rand -hex 32)';
