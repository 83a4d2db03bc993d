import { z } from 'zod';
import { type Instant, instant } from '#domain/kernel/events';
import { addSeconds } from '#domain/kernel/instants';
import type { Clock } from '#gateways/clock';
import type { EngineStatus } from '#processes/engine/engine';
import type { WishesWithoutResult } from '#processes/engine/process-run';

/** A failure that mends by itself within this time is no news. It is longer than the first wait for another try, also of a mail. */
export const FAILING_MILLISECONDS = 600_000;

export const degradedParts = [
  'event-store',
  'database',
  'clock',
  'keys',
  'streams',
  'processes',
  'process',
  'effect',
  'command',
  'read-model',
] as const;

const degradation = z.object({
  part: z.enum(degradedParts).describe('What kind of part.'),
  name: z
    .string()
    .describe('Which one: the call to the outside, the type of the command, the process, the read model.'),
  count: z.int().optional().describe('How many items fail or wait. Absent for a part that is one.'),
  since: instant.optional().describe('Since when, where that is known.'),
  reason: z.string().describe('Why, in words.'),
});
export type Degradation = z.infer<typeof degradation>;

export const degradedBy = z
  .array(degradation)
  .describe(
    'Everything that makes the status yellow or red. A call to the outside is among it once some have failed, and none of its kind was answered, for longer than `LEADGER_FAILING_SECONDS`.',
  );

interface Parts {
  readonly store: { readonly ok: boolean; readonly error?: string | undefined; readonly reason?: string | undefined };
  readonly database: { readonly ok: boolean; readonly error?: string | undefined } | undefined;
  readonly clock: { readonly behindSeconds: number };
  readonly keys: { readonly missing: number; readonly damaged: number };
  readonly streams: { readonly damaged: number; readonly foreign: number };
  /** Undefined when no program that runs them is known. */
  readonly processes: EngineStatus['processes'] | undefined;
  readonly readModels: readonly {
    readonly name: string;
    readonly parked: number;
    readonly lastError?: string | undefined;
  }[];
}

interface Limits {
  readonly clock: Pick<Clock, 'now'>;
  readonly failingMilliseconds?: number;
}

/** What is wrong with a store: the parts that do not work first, then what waits for people. */
export function degradationsOf(parts: Parts, { clock, failingMilliseconds = FAILING_MILLISECONDS }: Limits) {
  const failingSince = addSeconds(clock.now(), -failingMilliseconds / 1000);
  return [
    ...ofServers(parts),
    ...ofClock(parts),
    ...ofKeysAndStreams(parts),
    ...ofProcesses(parts, failingSince),
    ...ofReadModels(parts),
  ];
}

function ofServers({ store, database }: Parts): Degradation[] {
  const away = (part: 'event-store' | 'database', { error, reason }: Parts['store']) => [
    { part, name: part, reason: reason ?? error ?? 'it does not answer' },
  ];
  return [
    ...(store.ok ? [] : away('event-store', store)),
    ...(database && !database.ok ? away('database', database) : []),
  ];
}

const ofClock = ({ clock: { behindSeconds } }: Parts): Degradation[] =>
  behindSeconds > 0
    ? [
        {
          part: 'clock',
          name: 'clock',
          reason: `the clock of the machine is ${behindSeconds} seconds behind: was it set back?`,
        },
      ]
    : [];

function ofKeysAndStreams({ keys, streams }: Parts): Degradation[] {
  const found = [
    ['keys', 'missing', keys.missing, 'restore their newest backup'],
    ['keys', 'damaged', keys.damaged, 'restore them from a backup'],
    ['streams', 'damaged', streams.damaged, 'see /api/damaged-streams'],
    ['streams', 'foreign', streams.foreign, 'see /api/damaged-streams'],
  ] as const;
  return found.filter(([, , count]) => count > 0).map(([part, name, count, reason]) => ({ part, name, count, reason }));
}

function ofProcesses({ processes }: Parts, failingSince: Instant): Degradation[] {
  if (!processes) return [{ part: 'processes', name: 'processes', reason: 'no program that runs them is known' }];
  return processes.flatMap(({ name, parked, withoutResult = [] }) => [
    ...withoutResult.flatMap((wishes) => lastingFailure(wishes, failingSince)),
    ...(parked > 0
      ? [{ part: 'process' as const, name, count: parked, reason: 'items are parked: see /api/processes/parked' }]
      : []),
  ]);
}

/** A call outside is about its target: one address that does not work is listed for attention, and degrades nothing. */
function lastingFailure(wishes: WishesWithoutResult, limit: Instant): Degradation[] {
  const { what: name, isEffect, failing, lastError, underWay, underWaySince } = wishes;
  const since = isEffect ? wishes.noneAnsweredSince : wishes.failingSince;
  const part = isEffect ? 'effect' : 'command';
  if (since !== undefined && since < limit)
    return [{ part, name, count: failing, since, reason: lastError ?? 'it failed' }];
  if (underWaySince !== undefined && underWaySince < limit)
    return [{ part, name, count: underWay, since: underWaySince, reason: 'there is no answer' }];
  return [];
}

const ofReadModels = ({ readModels }: Parts): Degradation[] =>
  readModels.flatMap(({ name, parked, lastError }) => [
    ...(lastError === undefined ? [] : [{ part: 'read-model' as const, name, reason: lastError }]),
    ...(parked > 0
      ? [{ part: 'read-model' as const, name, count: parked, reason: 'streams are parked: see /api/read-models' }]
      : []),
  ]);
