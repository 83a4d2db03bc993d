import type { CommandOf } from '#domain/ledger';
import { callsInTurn, callsInTurnOfEach, type InTurn } from '#event-store/in-turn';
import type { EventStore } from '#event-store/port';
import type { Clock } from '#gateways/clock';
import type { MailGateway } from '#gateways/mail';
import { READ_MAILBOX } from '#gateways/mailbox';
import type { PaymentGateway } from '#gateways/payments';
import type { SupportMail } from '#gateways/support-mail';
import type { WebhookGateway } from '#gateways/webhooks';
import type { CallTurn, EngineOptions } from '#processes/engine/options';
import { type Effect, OutOfReach, type Untimed } from '#processes/process';
import type { ReadModels } from '#read-models/read-models';
import type { Vault } from '#vault/vault';
import { completeErasure, type SignInsToForget } from '../erasure-completion.ts';
import { giveUpKeysOfLooks } from '../lost-keys.ts';
import { renewalInUse } from '../renewed-business-keys.ts';
import type { Dispatch } from '../request-tools.ts';
import type { StreamCache } from '../stream-cache.ts';
import { capturePayment, chargeRenewal, forgetPayer, settleRenewal } from './charging.ts';
import { keepPerson } from './keeping-person.ts';
import type { KeptResults } from './kept-results.ts';
import { sendMail } from './mail-sending.ts';
import { mailTurns } from './mail-turns.ts';
import { makeRefund } from './refunding.ts';
import { callWebhook } from './webhook-calling.ts';

const MOST_PAYMENTS_AT_ONCE = 10;
const MOST_WEBHOOKS_AT_ONCE = 100;
const MOST_WEBHOOKS_OF_A_HOST_AT_ONCE = 5;
const MOST_WEBHOOKS_OF_A_CUSTOMER_AT_ONCE = 2;

export interface EffectDependencies {
  readonly store: EventStore;
  readonly streams: StreamCache;
  readonly clock: Clock;
  readonly payments: PaymentGateway;
  readonly mails: MailGateway;
  readonly webhooks: WebhookGateway;
  readonly vault: Vault;
  readonly sessions: SignInsToForget;
  /** Undefined where none are kept: then an erasure that was interrupted is not completed. */
  readonly readModels?: ReadModels;
  readonly dispatch: Dispatch;
  readonly supportMail?: SupportMail | undefined;
}

const leaveToTheStore = async (): Promise<never> => {
  throw new OutOfReach('charges, mails and calls are made by the program that runs the store');
};
const leftToTheStore = {
  'capture-payment': leaveToTheStore,
  'charge-renewal': leaveToTheStore,
  'settle-renewal': leaveToTheStore,
  'make-refund': leaveToTheStore,
  'forget-payer': leaveToTheStore,
  'send-mail': leaveToTheStore,
  'call-webhook': leaveToTheStore,
} satisfies Partial<EngineOptions['effects']>;

/** Calls to services outside, by kind: those that processes wish, and the looks into the mailbox of support. */
export const callsOutside: readonly string[] = [...Object.keys(leftToTheStore), READ_MAILBOX];

interface EffectOptions {
  /** False: charges, mails and calls fail as long as only this program runs, and wait for the store. */
  readonly callsOutside: boolean;
  /** Results that could not be recorded yet. */
  readonly kept: KeptResults;
}

/** What the engine of the processes calls, by the kind of the effect. */
export const effectsOf = (
  dependencies: EffectDependencies,
  { callsOutside, kept }: EffectOptions,
): EngineOptions['effects'] => ({
  ...effectsOutside(dependencies, kept),
  ...effectsInside(dependencies),
  ...(!callsOutside && leftToTheStore),
});

/** Each target has a limit of calls at once, whatever waits for it. */
function effectsOutside({ store: events, ...others }: EffectDependencies, kept: KeptResults) {
  const ofAll = { events, ...others };
  const [ofMails, atProvider] = [mailTurns(), callsInTurn(MOST_PAYMENTS_AT_ONCE)];
  const ofHosts = callsInTurnOfEach(MOST_WEBHOOKS_AT_ONCE, MOST_WEBHOOKS_OF_A_HOST_AT_ONCE);
  // Customers share hosts: one whose program hangs takes no more than a part of what its host may get.
  const ofCustomers = callsInTurnOfEach(Number.POSITIVE_INFINITY, MOST_WEBHOOKS_OF_A_CUSTOMER_AT_ONCE);
  const ofProvider = (key: string, turn: CallTurn, call: Parameters<KeptResults['of']>[1], isFirst = false) =>
    kept.of(key, () => inItsTurn(turn, atProvider)(call, isFirst));
  return {
    // A customer waits for this one.
    'capture-payment': (effect, key, turn) => ofProvider(key, turn, () => capturePayment(effect, key, others), true),
    'charge-renewal': (effect, key, turn) => ofProvider(key, turn, () => chargeRenewal(effect, key, others)),
    'make-refund': (effect, key, turn) => ofProvider(key, turn, () => makeRefund(effect, key, others)),
    'settle-renewal': (effect, key, turn) => ofProvider(key, turn, () => settleRenewal(effect, others)),
    'forget-payer': (effect, key, turn) => ofProvider(key, turn, () => forgetPayer(effect, others)),
    'call-webhook': (effect, key, turn) => {
      const ofHost = (host: string): InTurn =>
        inItsTurn(turn, (call) => ofCustomers(effect.wish.customerId, () => ofHosts(host, call)));
      return kept.of(key, () => callWebhook(effect, { ...ofAll, inTurn: (host, call) => ofHost(host)(call) }));
    },
    'send-mail': (effect, key, turn) =>
      kept.of(key, () => sendMail(effect, { ...ofAll, inTurn: inItsTurn(turn, ofMails) })),
  } satisfies Partial<EngineOptions['effects']>;
}

/** What waits for a limit of calls at once has not begun: its engine knows that no answer is late yet. */
const inItsTurn =
  (turn: CallTurn, inTurn: InTurn): InTurn =>
  (call, isFirst) => {
    turn.waits();
    return inTurn(() => ifMine(turn, call), isFirst);
  };

/** While a call waits for its turn, the program may stop, or another worker may get it. A call that fails by that did not fail. */
async function ifMine<Result>({ isMine, begins }: CallTurn, call: () => Promise<Result>): Promise<Result> {
  const mine = () => {
    if (!isMine()) throw new OutOfReach('this program does not make the call any more');
  };
  mine();
  begins();
  return call().catch((error: unknown) => {
    mine();
    throw error;
  });
}

const effectsInside = ({ store: events, ...others }: EffectDependencies) =>
  ({
    'complete-erasure': completingErasures({ store: events, ...others }),
    'keep-person': (effect: Extract<Effect, { kind: 'keep-person' }>) => keepPerson(effect, others),
    'erase-lead': (effect) => eraseLead(effect, others),
    'renew-business-keys': ({ customerId }) => renewalInUse(others, customerId),
    'remove-mail-copies': async ({ before }) => {
      await others.mails.forgetBefore?.(before);
      return undefined;
    },
    'destroy-keys': async ({ subjects }) => {
      await giveUpKeysOfLooks({ events, vault: others.vault }, subjects);
      await others.vault.eraseAgain(subjects);
      return undefined;
    },
  }) satisfies Partial<EngineOptions['effects']>;

/** One after another: after a start there may be thousands. */
function completingErasures({ store: events, readModels, ...others }: EffectDependencies) {
  const oneByOne = callsInTurn(1);
  return async ({ erasure }: Extract<Effect, { kind: 'complete-erasure' }>, _: string, turn: CallTurn) =>
    readModels &&
    inItsTurn(
      turn,
      oneByOne,
    )(async () => {
      const found = await completeErasure({ ...others, events, readModels }, erasure);
      return { type: 'ErasePerson', ...found } as const;
    });
}

/** @returns what is to be recorded of it */
async function eraseLead(
  { leadStream }: Extract<Effect, { kind: 'erase-lead' }>,
  { vault }: Pick<EffectDependencies, 'vault'>,
): Promise<Untimed<CommandOf<'erasures'>>> {
  await vault.erase(leadStream);
  return { type: 'ErasePerson', subjects: [leadStream], personKeys: [], ends: [] };
}
