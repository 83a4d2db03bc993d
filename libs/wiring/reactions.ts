import type { Activities } from '#domain/kernel/activities';
import type { Mailbox } from '#gateways/mailbox';
import { addressClaims } from '#processes/address-claims';
import { autoRestart } from '#processes/auto-restart';
import { businessKeys } from '#processes/business-keys';
import { checkoutCoupons } from '#processes/checkout-coupons';
import { checkoutEnd } from '#processes/checkout-end';
import { ProcessEngine } from '#processes/engine/engine';
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
import { type EffectDependencies, effectsOf } from '#requests/effects/effects';
import { type CallsUnderWay, KeptResults } from '#requests/effects/kept-results';
import { mailboxStatus } from '#requests/mailbox-status';
import { sendOfProcess } from '#requests/process-commands';
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
    besides: () => (mailbox ? [mailboxStatus(mailbox)] : []),
    ...(leaseOf && { mayActFor: (unit) => leaseOf(unit) !== undefined }),
    ...(mayBeginFor && { mayBeginFor }),
    send: async (sent) => {
      const result = await sendOfProcess({ streams, vault, dispatch }, sent, leaseOf?.(sent.unit));
      kept.forget(sent.commandId);
      return result;
    },
    forget: () => streams.clear(),
    warm: (names) => streams.warm(names, { until: Number.POSITIVE_INFINITY }),
    effects: effectsOf(dependencies, { callsOutside, kept }),
  });
}
