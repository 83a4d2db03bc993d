import type { Activities } from '#domain/kernel/activities';
import type { Mailbox } from '#gateways/mailbox';
import type { Lease } from '#postgres/leases';
import { ProcessEngine } from '#processes/engine/engine';
import { processes } from '#processes/processes';
import { type EffectDependencies, effectsOf } from '#requests/effects/effects';
import { type CallsUnderWay, KeptResults } from '#requests/effects/kept-results';
import { mailboxStatus } from '#requests/mailbox-status';
import { sendOfProcess } from '#requests/process-commands';

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
