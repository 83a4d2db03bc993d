import type { Clock } from './clock.ts';
import { type MailGateway, mailFiles, smtpMail } from './mail.ts';
import { imapMailbox, type Mailbox } from './mailbox.ts';
import { noNotices, type PaymentNotices } from './payment-notices.ts';
import { type PaymentGateway, sandboxPayments } from './payments.ts';
import { stripeLimits } from './stripe-limits.ts';
import type { StripeOptions } from './stripe-payments.ts';
import { type SupportMail, supportMail } from './support-mail.ts';
import { httpWebhooks, type WebhookGateway } from './webhooks.ts';

/* The gateways that the environment configures: docs/configuration.md lists its variables. */

export const webhooksOf = ({ LEADGER_WEBHOOKS_TO_THIS_MACHINE: written }: NodeJS.ProcessEnv): WebhookGateway =>
  httpWebhooks({ toThisMachine: written === 'yes' });

export function paymentsOf(environment: NodeJS.ProcessEnv, clock: Clock): PaymentGateway {
  const { STRIPE_SECRET_KEY: secretKey, STRIPE_STATEMENT_PREFIX: statementPrefix } = environment;
  return secretKey
    ? chargesOverStripe({
        secretKey,
        statementPrefix,
        now: () => Date.parse(clock.now()),
      })
    : sandboxPayments();
}

/** Its package is loaded only where it is used: a store without it starts sooner. */
function chargesOverStripe(options: StripeOptions): PaymentGateway {
  const stripe = import('./stripe-payments.ts').then(({ stripePayments }) => stripePayments(options));
  return {
    limits: stripeLimits(options.statementPrefix),
    capture: async (...charge) => (await stripe).capture(...charge),
    settle: async (...waiting) => (await stripe).settle(...waiting),
    forget: async (...payer) => (await stripe).forget(...payer),
    forgetKeptBy: async (...charge) => (await stripe).forgetKeptBy(...charge),
    refund: async (...refund) => (await stripe).refund(...refund),
  };
}

/** Undefined where neither way in is configured. */
export function supportMailOf(environment: NodeJS.ProcessEnv): SupportMail | undefined {
  const { SUPPORT_ADDRESS: address, SUPPORT_WEBHOOK_SECRET: secret, SUPPORT_IMAP_URL: mailbox } = environment;
  return secret || mailbox ? supportMail({ address, secret }) : undefined;
}

export function mailboxOf({ SUPPORT_IMAP_URL: url }: NodeJS.ProcessEnv, clock: Clock): Mailbox | undefined {
  return url ? imapMailbox({ url, clock, tell: (line) => console.warn(`leadger: ${line}`) }) : undefined;
}

export const noticesOf = ({ STRIPE_WEBHOOK_SECRET: secret }: NodeJS.ProcessEnv): PaymentNotices =>
  secret ? noticesOfStripe(secret) : noNotices;

function noticesOfStripe(secret: string): PaymentNotices {
  const stripe = import('./stripe-notices.ts').then(({ stripeNotices }) => stripeNotices(secret));
  return { read: async (...notice) => (await stripe).read(...notice) };
}

/** Where no mail server is configured: files in a folder. Undefined where there is none, either. */
export function mailsOf(
  { SMTP_URL: url, MAIL_FROM: from }: NodeJS.ProcessEnv,
  folder: string | undefined,
): MailGateway | undefined {
  const copies = folder === undefined ? undefined : mailFiles(folder);
  return url ? { ...copiesOfBefore(copies), ...smtpMail({ url, from }) } : copies;
}

/** Where a mail server is set later, copies of before are still erased with their person, and removed when they are old. */
const copiesOfBefore = (copies: MailGateway | undefined): Pick<MailGateway, 'forget' | 'forgetBefore'> =>
  copies?.forget && copies.forgetBefore ? { forget: copies.forget, forgetBefore: copies.forgetBefore } : {};
