import type { CommandOf } from '#domain/ledger';
import { callsInTurn, callsInTurnOfEach } from '#event-store/in-turn';
import type { EventStore } from '#event-store/port';
import type { Clock } from '#gateways/clock';
import type { MailGateway } from '#gateways/mail';
import type { PaymentGateway } from '#gateways/payments';
import type { SupportMail } from '#gateways/support-mail';
import type { WebhookGateway } from '#gateways/webhooks';
import type { EngineOptions } from '#processes/engine/options';
import { type Effect, OutOfReach, type Untimed } from '#processes/process';
import type { ReadModels } from '#read-models/read-models';
import type { Vault } from '#vault/vault';
import { completeErasure } from '../erasure-completion.ts';
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

export interface EffectDependencies {
  readonly store: EventStore;
  readonly streams: StreamCache;
  readonly clock: Clock;
  readonly payments: PaymentGateway;
  readonly mails: MailGateway;
  readonly webhooks: WebhookGateway;
  readonly vault: Vault;
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

/** Calls to services outside, by kind. */
export const callsOutside = Object.keys(leftToTheStore) as readonly (keyof typeof leftToTheStore)[];

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
  const ofProvider = (key: string, isMine: () => boolean, call: Parameters<KeptResults['of']>[1]) =>
    kept.of(key, () => atProvider(() => ifMine(isMine, call)));
  return {
    'capture-payment': (effect, key, isMine) => ofProvider(key, isMine, () => capturePayment(effect, key, others)),
    'charge-renewal': (effect, key, isMine) => ofProvider(key, isMine, () => chargeRenewal(effect, key, others)),
    'make-refund': (effect, key, isMine) => ofProvider(key, isMine, () => makeRefund(effect, key, others)),
    'settle-renewal': (effect, key, isMine) => ofProvider(key, isMine, () => settleRenewal(effect, others)),
    'forget-payer': (effect, key, isMine) => ofProvider(key, isMine, () => forgetPayer(effect, others)),
    'call-webhook': (effect, key, isMine) =>
      kept.of(key, () =>
        callWebhook(effect, { ...ofAll, inTurn: (host, call) => ofHosts(host, () => ifMine(isMine, call)) }),
      ),
    'send-mail': (effect, key, isMine) =>
      kept.of(key, () => sendMail(effect, { ...ofAll, inTurn: (send) => ofMails(() => ifMine(isMine, send)) })),
  } satisfies Partial<EngineOptions['effects']>;
}

/** While a call waits for its turn, the program may stop, or another worker may get it. A call that fails by that did not fail. */
async function ifMine<Result>(isMine: () => boolean, call: () => Promise<Result>): Promise<Result> {
  const mine = () => {
    if (!isMine()) throw new OutOfReach('this program does not make the call any more');
  };
  mine();
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
  const inTurn = callsInTurn(1);
  return async ({ erasure }: Extract<Effect, { kind: 'complete-erasure' }>) =>
    readModels &&
    inTurn(async () => {
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
