import type { Activities } from '#domain/kernel/activities';
import type { Caller } from '#domain/kernel/caller';
import type { CommandOf } from '#domain/ledger';
import { callsInTurn, callsInTurnOfEach } from '#event-store/in-turn';
import type { EventStore } from '#event-store/port';
import type { Clock } from '#gateways/clock';
import type { MailGateway } from '#gateways/mail';
import type { PaymentGateway } from '#gateways/payments';
import type { WebhookGateway } from '#gateways/webhooks';
import { addressClaims } from '#processes/address-claims';
import { autoRestart } from '#processes/auto-restart';
import { businessKeys } from '#processes/business-keys';
import { checkoutCoupons } from '#processes/checkout-coupons';
import { checkoutEnd } from '#processes/checkout-end';
import { ProcessEngine } from '#processes/engine/engine';
import type { CommandResult, EngineOptions, SentCommand } from '#processes/engine/options';
import { erasureCompletion } from '#processes/erasure-completion';
import { leadAgeing } from '#processes/lead-ageing';
import { leadDistribution } from '#processes/lead-distribution';
import { leadWebhooks } from '#processes/lead-webhooks';
import { loyaltyMembership } from '#processes/loyalty-membership';
import { loyaltyRenewals } from '#processes/loyalty-renewals';
import { mailing } from '#processes/mailing';
import { payerErasure } from '#processes/payer-erasure';
import { paymentCapture } from '#processes/payment-capture';
import { personErasure } from '#processes/person-erasure';
import { type Effect, OutOfReach, type Untimed } from '#processes/process';
import { receipts } from '#processes/receipts';
import { refunds } from '#processes/refunds';
import { replacementDelivery } from '#processes/replacement-delivery';
import { retention } from '#processes/retention';
import { ticketDeadline } from '#processes/ticket-deadline';
import { verificationDeadline } from '#processes/verification-deadline';
import type { ReadModels } from '#read-models/read-models';
import type { AddressedCommand, Outcome } from '#requests/command-handler';
import { completeErasure } from '#requests/erasure-completion';
import { hasOlderText, sealOlderTexts } from '#requests/older-texts';
import { renewalInUse } from '#requests/renewed-business-keys';
import type { Dispatch } from '#requests/request-tools';
import type { StreamCache } from '#requests/stream-cache';
import type { Vault } from '#vault/vault';
import { capturePayment, chargeRenewal, forgetPayer, settleRenewal } from './charging.ts';
import { keepPerson } from './keeping-person.ts';
import { KeptResults } from './kept-results.ts';
import type { Lease } from './leases.ts';
import { sendMail } from './mail-sending.ts';
import { mailTurns } from './mail-turns.ts';
import { makeRefund } from './refunding.ts';
import { callWebhook } from './webhook-calling.ts';

const MOST_PAYMENTS_AT_ONCE = 10;
const MOST_WEBHOOKS_AT_ONCE = 100;
const MOST_WEBHOOKS_OF_A_HOST_AT_ONCE = 5;

/** Every process, in the order in which they are asked. */
export const processes = [
  personErasure,
  erasureCompletion,
  payerErasure,
  paymentCapture,
  refunds,
  receipts,
  loyaltyMembership,
  loyaltyRenewals,
  autoRestart,
  replacementDelivery,
  verificationDeadline,
  ticketDeadline,
  leadAgeing,
  businessKeys,
  leadDistribution,
  checkoutCoupons,
  checkoutEnd,
  addressClaims,
  mailing,
  leadWebhooks,
  retention,
];

export interface ReactionDependencies {
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
  /** Where the attempts of processes are told. */
  readonly activities?: Activities;
  /** False in commands of an operator, which do not know the accounts of the store: these calls wait for the store itself. Default: true. */
  readonly callsOutside?: boolean;
  /** Where several workers run: the lease that this one has of a unit. Default: there is one worker, which needs none. */
  readonly leaseOf?: (unit: string) => Lease | undefined;
}

/** The engine that runs the processes. It sends commands over the bus, and calls what is outside. */
export function createReactions(dependencies: ReactionDependencies): ProcessEngine {
  const { store, streams, clock, vault, dispatch, leaseOf, callsOutside = true, activities } = dependencies;
  const kept = new KeptResults();
  const effects = effectsOf(dependencies, kept);
  return new ProcessEngine({
    store,
    clock,
    processes,
    activities,
    ...(leaseOf && { mayActFor: (unit) => leaseOf(unit) !== undefined }),
    send: async (sent) => {
      // Others are dispatched at once, in the order in which they are sent.
      const command = hasOlderText(sent.command)
        ? await sealOlderTexts({ streams, vault }, sent.stream, sent.command)
        : sent.command;
      const outcome = await dispatch(addressed({ ...sent, command }, leaseOf?.(sent.unit)));
      kept.forget(sent.commandId);
      return resultOf(outcome);
    },
    forget: () => streams.clear(),
    warm: (names) => streams.warm(names, { until: Number.POSITIVE_INFINITY }),
    effects: callsOutside ? effects : { ...effects, ...leftToTheStore },
  });
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

const effectsOf = (dependencies: ReactionDependencies, kept: KeptResults): EngineOptions['effects'] => ({
  ...effectsOutside(dependencies, kept),
  ...effectsInside(dependencies),
});

/** Each target has a limit of calls at once, whatever waits for it. */
function effectsOutside({ store: events, ...others }: ReactionDependencies, kept: KeptResults) {
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

const effectsInside = ({ store: events, ...others }: ReactionDependencies) =>
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
      await others.vault.eraseAgain(subjects);
      return undefined;
    },
  }) satisfies Partial<EngineOptions['effects']>;

/** One after another: after a start there may be thousands. */
function completingErasures({ store: events, readModels, ...others }: ReactionDependencies) {
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
  { vault }: Pick<ReactionDependencies, 'vault'>,
): Promise<Untimed<CommandOf<'erasures'>>> {
  await vault.erase(leadStream);
  return { type: 'ErasePerson', subjects: [leadStream], personKeys: [], ends: [] };
}

function addressed(
  { stream, command, commandId, actor, because, eventsSeen }: SentCommand,
  lease: Lease | undefined,
): AddressedCommand {
  const chain = because
    ? { correlationId: because.cause.correlationId, causationId: because.eventId }
    : { correlationId: commandId };
  const under = lease && { lease: { unit: lease.unit, token: lease.token } };
  const cause = { commandId, actor, authenticated: 'process', ...chain, eventsSeen, ...under } as const;
  const parent = { kind: 'process', id: commandId, correlationId: chain.correlationId } as const;
  return { stream, command, caller: processCaller(actor), cause, parent };
}

const processCaller = (actor: string): Caller => ({ kind: 'process', actor, roles: ['process'], stores: 'all' });

function resultOf(outcome: Outcome): CommandResult {
  if (outcome.kind === 'accepted') return { position: outcome.position };
  if (outcome.kind === 'refused') return { refusal: outcome.refusal };
  throw new Error(`a process got ${outcome.kind}, but processes send neither keys nor revisions`);
}
