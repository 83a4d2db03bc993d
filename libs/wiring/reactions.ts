import type { Activities } from '#domain/kernel/activities';
import type { Caller } from '#domain/kernel/caller';
import type { Mailbox } from '#gateways/mailbox';
import { addressClaims } from '#processes/address-claims';
import { autoRestart } from '#processes/auto-restart';
import { businessKeys } from '#processes/business-keys';
import { checkoutCoupons } from '#processes/checkout-coupons';
import { checkoutEnd } from '#processes/checkout-end';
import { ProcessEngine } from '#processes/engine/engine';
import type { CommandResult, SentCommand } from '#processes/engine/options';
import type { ProcessStatus } from '#processes/engine/process-run';
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
import { receipts } from '#processes/receipts';
import { refunds } from '#processes/refunds';
import { replacementDelivery } from '#processes/replacement-delivery';
import { retention } from '#processes/retention';
import { suppressedBuyers } from '#processes/suppressed-buyers';
import { ticketDeadline } from '#processes/ticket-deadline';
import { verificationDeadline } from '#processes/verification-deadline';
import type { AddressedCommand, Outcome } from '#requests/addressed-command';
import { type EffectDependencies, effectsOf } from '#requests/effects/effects';
import { type CallsUnderWay, KeptResults } from '#requests/effects/kept-results';
import { hasOlderText, sealOlderTexts } from '#requests/older-texts';
import type { Lease } from './leases.ts';

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
  suppressedBuyers,
  checkoutCoupons,
  checkoutEnd,
  addressClaims,
  mailing,
  leadWebhooks,
  retention,
];

export interface ReactionDependencies extends EffectDependencies {
  /** Where the attempts of processes are told. */
  readonly activities?: Activities;
  /** False in commands of an operator, which do not know the accounts of the store: these calls wait for the store itself. Default: true. */
  readonly callsOutside?: boolean;
  /** Where this program reads one. */
  readonly mailbox?: Mailbox | undefined;
  /** Of the program, where one engine may replace another. Default: a new list. */
  readonly underWay?: CallsUnderWay;
  /** Where several workers run: the lease that this one has of a unit. Default: there is one worker, which needs none. */
  readonly leaseOf?: (unit: string) => Lease | undefined;
  /** False for a unit that will be another worker's when its calls under way have ended. */
  readonly mayBeginFor?: (unit: string) => boolean;
}

/** The engine that runs the processes. It sends commands over the bus, and calls what is outside. */
export function createReactions(dependencies: ReactionDependencies): ProcessEngine {
  const { store, streams, clock, vault, dispatch, activities, mailbox } = dependencies;
  const { leaseOf, mayBeginFor, callsOutside = true } = dependencies;
  const kept = new KeptResults(dependencies.underWay ?? new Map());
  return new ProcessEngine({
    store,
    clock,
    processes,
    activities,
    besides: () => (mailbox ? [statusOf(mailbox)] : []),
    ...(leaseOf && { mayActFor: (unit) => leaseOf(unit) !== undefined }),
    ...(mayBeginFor && { mayBeginFor }),
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
    effects: effectsOf(dependencies, { callsOutside, kept }),
  });
}

/** Health and metrics tell of the mailbox as of any other call to the outside. */
function statusOf(mailbox: Mailbox): ProcessStatus {
  const { failing, failingSince, lastError } = mailbox.status();
  const since = {
    ...(failingSince && { failingSince, noneAnsweredSince: failingSince }),
    ...(lastError && { lastError }),
  };
  const reading = { what: 'read-mailbox', isEffect: true, failing, underWay: 0, ...since };
  return {
    ...{ name: 'support-mailbox', waitingForRetry: failing, parked: 0 },
    ...(lastError && { lastError }),
    withoutResult: failing > 0 ? [reading] : [],
  };
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
  if (outcome.kind === 'accepted') return { position: outcome.position, events: outcome.events };
  if (outcome.kind === 'refused') return { refusal: outcome.refusal };
  throw new Error(`a process got ${outcome.kind}, but processes send neither keys nor revisions`);
}
