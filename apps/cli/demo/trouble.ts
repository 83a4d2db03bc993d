import type { Instant } from '#domain/kernel/events';
import { addDays } from '#domain/kernel/instants';
import type { Clock } from '#gateways/clock';
import { type MailGateway, mailInMemory } from '#gateways/mail';
import { MailNotSent } from '#gateways/mail-failures';
import { noWebhooks, type WebhookGateway } from '#gateways/webhooks';
import type { Chance } from './chance.ts';

/*
 * What goes wrong outside the store in a demo with trouble. All of it follows from the simulated time and the seed, so that a demo
 * that was interrupted meets the same trouble again.
 */

/** In days since the demo began; the end is not included. */
const MAILS_TAKEN_WITHOUT_ANSWER = [1, 2] as const;
const MAILS_REFUSED_FOR_NOW = [2, 3] as const;
const PROGRAMS_BROKEN = [1, 4] as const;

const REFUSED_FOR_NOW = 451;
const BROKEN = 500;

type Period = readonly [fromDay: number, toDay: number];

export const withoutTrouble = (): { mails: MailGateway; webhooks: WebhookGateway } => ({
  mails: mailInMemory(),
  webhooks: noWebhooks(),
});

/** @param since when the demo began */
export function withTrouble(clock: Pick<Clock, 'now'>, since: Instant): ReturnType<typeof withoutTrouble> {
  const { mails, webhooks } = withoutTrouble();
  const isIn = ([from, to]: Period) => clock.now() >= addDays(since, from) && clock.now() < addDays(since, to);
  return {
    mails: {
      ...mails,
      async send(message) {
        if (isIn(MAILS_REFUSED_FOR_NOW)) throw failedWith({ failure: 'answered', status: REFUSED_FOR_NOW });
        const taken = await mails.send(message);
        if (isIn(MAILS_TAKEN_WITHOUT_ANSWER)) throw failedWith({ failure: 'not-confirmed' });
        return taken;
      },
    },
    webhooks: {
      ...webhooks,
      call: async (message) =>
        isIn(PROGRAMS_BROKEN)
          ? { accepted: false, failure: 'answered', status: BROKEN, hopeless: false }
          : webhooks.call(message),
    },
  };
}

const failedWith = (failed: MailNotSent['failed']) => new MailNotSent(new Error('trouble of the demo'), failed, false);

export const LOST_ANSWER = 'tok_lost_reply';
export const REFUSED = 'tok_refused';

/**
 * Tokens of the sandbox (docs/sandbox.md), and how many of a hundred orders are paid with each of them. None of those that pay late: their
 * time is the machine's, so that the same seed would not give the same history. An answer that is lost comes late, in the demo's time.
 */
const paymentTrouble = [
  { token: LOST_ANSWER, ofHundred: 25 },
  { token: REFUSED, ofHundred: 6 },
  { token: 'tok_declined_do_not_honor', ofHundred: 4 },
  { token: 'tok_renewal_declined_expired_card', ofHundred: 6 },
  { token: 'tok_renewal_unconfirmed', ofHundred: 4 },
] as const;

/** Customers whose own program gets their leads: more than usual, so that some are there while it is broken. */
export const PROGRAMS_WITH_TROUBLE = 0.5;

/** @returns the token of an order; undefined where nothing goes wrong */
export function troubledToken(chance: Chance): string | undefined {
  const none = 100 - paymentTrouble.reduce((sum, { ofHundred }) => sum + ofHundred, 0);
  return paymentTrouble[chance.weighted([...paymentTrouble.map(({ ofHundred }) => ofHundred), none])]?.token;
}
