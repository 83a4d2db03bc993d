import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { LeadgerError } from '#domain/kernel/leadger-error';
import {
  AccessRefused,
  BEFORE_FIRST,
  type EventStore,
  LogLost,
  NoSuchPosition,
  type Position,
} from '#event-store/port';
import { systemClock } from '#gateways/clock';
import { engineStatus } from '#processes/engine/engine';
import { type ReadModelStatus, readModelStatus } from '#read-models/read-models';
import { type AttentionTools, attentionCounts } from './attention.ts';
import { clockStatus, clockStatusOf, clockStatusSoFar } from './clock-status.ts';
import { damagedStreamsIn, foreignStreamsIn, sightOf, sights } from './damaged-streams.ts';
import { degradationsOf, degradedBy } from './degradations.ts';
import { readModelStatuses } from './operations.ts';
import { type QueryDependencies, sameForAll } from './query-tools.ts';
import type { RequestContext } from './request-tools.ts';
import { parkedItemOf } from './running-processes.ts';

/** A lag is counted up to this many events: counting more would slow the store down. */
export const MOST_LAG_COUNTED = 1000;

type Programs = Pick<
  QueryDependencies,
  'events' | 'processes' | 'readModels' | 'vault' | 'identities' | 'clock' | 'failingMilliseconds'
>;

/** Green: all works. Yellow: it works, and something waits for an operator. Red: a part does not work. */
const healthStatuses = ['green', 'yellow', 'red'] as const;
type HealthStatus = (typeof healthStatuses)[number];

/** The state of the programs, for operators and for their tools. */
export const operationQueries = (programs: Programs & AttentionTools) => ({
  getHealth: sameForAll((): Promise<Health> => healthOf(programs)),
  getReadiness: sameForAll((): Promise<Readiness> => readinessOf(programs)),
  /** The numbers behind the metrics, all read once. */
  async getMeasurements(context: RequestContext) {
    const attention = limitOfTime()(attentionCounts(programs, context)).catch(() => undefined);
    return { ...(await measurementsOf(programs)), attention: await attention };
  },
  /** Commands and events that failed too often. Each waits for a retry by staff, and only its stream waits with it. */
  listParkedItems: sameForAll(async () => (await programs.processes.parked()).map(parkedItemOf)),
  /** Streams of the ledger that others cut or deleted in the event store. */
  listDamagedStreams: sameForAll(async () => [
    ...damagedStreamsIn(programs.events.damages),
    ...foreignStreamsIn(programs.events),
  ]),
  listReadModels: sameForAll(() => readModelStatuses(programs.readModels)),
});

const { name, version, position, paused, whole, rebuiltUpTo, following } = readModelStatus.shape;
const { eventsPerSecond, lastError } = following.unwrap().shape;

const readModelHealth = z.object({
  name: name.describe('The read model.'),
  version,
  position,
  lagEvents: z
    .int()
    .optional()
    .describe(
      `Events that it does not reflect yet, counted up to ${MOST_LAG_COUNTED}; absent while that is not known.`,
    ),
  lagSeconds: z.number().optional().describe('How long ago the first of these events was recorded.'),
  eventsPerSecond: eventsPerSecond.optional().describe('Over the last ten seconds, where this program follows it.'),
  parked: z.int().describe('Streams that are left out because one of their events could not be applied.'),
  paused,
  whole,
  rebuiltUpTo,
  lastError,
});

export const health = z
  .object({
    ok: z.boolean().describe('Whether everything works: the status is not red.'),
    status: z
      .enum(healthStatuses)
      .describe(
        'Yellow: it works, but something waits for people, or has failed for too long: see `degradedBy`. Red: a part does not work.',
      ),
    degradedBy,
    trial: z
      .boolean()
      .optional()
      .describe(
        'Whether nobody is staff yet: whoever is at the machine may do everything. Absent while that is not known.',
      ),
    clock: clockStatus.describe('The clock of the machine that answers.'),
    keys: z
      .object({
        missing: z
          .int()
          .describe('Keys of personal data that were looked for and are missing: restore their newest backup.'),
        damaged: z
          .int()
          .describe('Keys that were looked for and are damaged, or have a damaged box: restore them from a backup.'),
      })
      .describe('The keys of personal data.'),
    streams: z
      .object({
        damaged: z.int().describe('Streams that somebody cut or deleted in the event store: see /api/damaged-streams.'),
        foreign: z
          .int()
          .describe('Streams that are named like ours, and to which others write: see /api/damaged-streams.'),
        sight: z
          .enum(sights)
          .describe(
            'Whether that is seen. blind: this account may not see it; alone: nobody else can touch the streams.',
          ),
      })
      .describe('Whether the streams of the ledger are whole.'),
    store: z
      .object({
        ok: z.boolean().describe('Whether the event store can be read and written.'),
        position: z.string().optional().describe('The end of the log.'),
        error: z.string().optional().describe('The code of the error.'),
        reason: z.string().optional().describe('Why, where somebody has to act.'),
      })
      .describe('The event store.'),
    database: z
      .object({
        ok: z.boolean().describe('Whether it answers.'),
        error: z.string().optional().describe('Why it cannot be reached.'),
      })
      .optional()
      .describe('The PostgreSQL of read models and keys; absent where there is none.'),
    processes: engineStatus.omit({ caughtUpTo: true }).describe('The processes that react to events.'),
    readModels: z.array(readModelHealth).describe('The read models, one by one.'),
  })
  .meta({ id: 'Health' });
type Health = z.infer<typeof health>;

export const healthExample: z.input<typeof health> = {
  ok: true,
  status: 'green',
  degradedBy: [],
  trial: false,
  clock: { behindSeconds: 0 },
  keys: { missing: 0, damaged: 0 },
  streams: { damaged: 0, foreign: 0, sight: 'watching' },
  store: { ok: true, position: '0000000000000042' },
  processes: {
    position: '0000000000000042',
    idle: true,
    processes: [{ name: 'lead-ageing', waitingForRetry: 0, parked: 0, wakesAt: '2026-03-02T09:30:00.000Z' }],
  },
  readModels: [
    {
      name: 'orders',
      version: '5d1f3a528f6a',
      position: '0000000000000042',
      lagEvents: 0,
      lagSeconds: 0,
      eventsPerSecond: 4.2,
      parked: 0,
      paused: false,
      whole: true,
    },
  ],
};

const { store: storeHealth, database: databaseHealth } = health.shape;

export const readiness = z
  .object({
    ok: z.boolean().describe('Whether this program can serve: what it depends on answers.'),
    store: storeHealth,
    database: databaseHealth,
  })
  .meta({ id: 'Readiness' });
type Readiness = z.infer<typeof readiness>;

/** Servers are waited for only so long, in all: then what is known is answered. */
const PATIENCE_MILLISECONDS = 1000;

class NoAnswer extends LeadgerError {
  constructor() {
    super('no-answer', 'there was no answer in time');
  }
}

type InTime = <Answer>(asked: Promise<Answer>) => Promise<Answer>;

/** One limit for all that is asked. @throws NoAnswer */
function limitOfTime(): InTime {
  const over = wait(PATIENCE_MILLISECONDS, undefined, { ref: false }).then(() => {
    throw new NoAnswer();
  });
  over.catch(() => {});
  return (asked) => Promise.race([asked, over]);
}

async function storeNow(events: EventStore, inTime: InTime): Promise<Health['store']> {
  try {
    // Until then a connection that breaks is one that is made again. It is known by then that there was no answer.
    const until = performance.now() + 2 * PATIENCE_MILLISECONDS;
    const head = inTime(events.head({ until })).catch(() => undefined);
    const answered = events.answers?.({ until }) ?? events.head({ until });
    const [failure] = await inTime(Promise.all([events.whyNotWritable?.(), answered]));
    const position = await head;
    return failure ? { ok: false, position, error: failure.code } : { ok: true, position };
  } catch (error) {
    const reason = error instanceof LogLost || error instanceof AccessRefused ? { reason: error.message } : {};
    return { ok: false, error: error instanceof LeadgerError ? error.code : 'unforeseen', ...reason };
  }
}

async function readinessOf({ events, readModels }: Programs): Promise<Readiness> {
  const store = await storeNow(events, limitOfTime());
  const database = readModels.server();
  return { ok: store.ok && database?.ok !== false, store, database };
}

/** What the programs say now. A part that does not answer in time, or fails, is undefined or empty. */
async function programsNow({ events, processes, readModels, vault }: Programs) {
  const inTime = limitOfTime();
  const database = readModels.server();
  // A database that is part of this program may take its time.
  const ofDatabase: InTime = database ? inTime : (asked) => asked;
  const [store, statuses, engine] = await Promise.all([
    storeNow(events, inTime),
    ofDatabase(readModels.status()).catch(() => []),
    // Workers report over the database: without it their state is unknown.
    ofDatabase(processes.status()).catch(() => undefined),
  ]);
  const lags = await inTime(lagsOf(events, statuses)).catch(() => undefined);
  const clock = await inTime(clockStatusOf(events)).catch(clockStatusSoFar);
  await inTime(vault.lookAgain()).catch(() => {});
  return {
    clock,
    keys: { missing: vault.keysMissed, damaged: vault.keysDamaged },
    store,
    database,
    engine,
    models: statuses.map((status) => ({ status, health: healthOfModel(status, lags) })),
  };
}

/**
 * The parts that work now. Parked items, missing or damaged keys and damaged streams do not make the store unhealthy: it works for
 * everybody else.
 */
async function healthOf(programs: Programs): Promise<Health> {
  const { clock, keys, store, database, engine, models } = await programsNow(programs);
  const readModels = models.map((model) => model.health);
  const isFollowed = readModels.length > 0 && readModels.every(({ lastError }) => lastError === undefined);
  const ok = store.ok && database?.ok !== false && engine !== undefined && isFollowed;
  const { position, idle, processes: all } = engine ?? { position: '', idle: false, processes: [] };
  const streams = streamsOf(programs.events);
  const parts = { clock, store, database, keys, streams, processes: engine?.processes, readModels };
  const degradedBy = degradationsOf(parts, programs);
  const status: HealthStatus = ok ? (degradedBy.length > 0 ? 'yellow' : 'green') : 'red';
  const processes = { position, idle, processes: all };
  const trial = await limitOfTime()(programs.identities.isTrial()).catch(() => undefined);
  return { ok, status, degradedBy, trial, clock, store, database, keys, streams, processes, readModels };
}

const streamsOf = ({ damages, foreignStreams }: EventStore) => ({
  damaged: damages?.all().length ?? 0,
  foreign: foreignStreams?.all().length ?? 0,
  sight: sightOf(damages),
});

const healthOfModel = (
  { position, parkedStreams, following, ...status }: ReadModelStatus,
  lags: ReadonlyMap<Position, Lag> | undefined,
): z.infer<typeof readModelHealth> => ({
  ...status,
  position,
  ...lags?.get(position),
  eventsPerSecond: following?.eventsPerSecond,
  lastError: following?.lastError,
  parked: parkedStreams.length,
});

export type Measurements = Awaited<ReturnType<ReturnType<typeof operationQueries>['getMeasurements']>>;

async function measurementsOf(programs: Programs) {
  const { clock, keys, store, database, engine, models } = await programsNow(programs);
  const streams = streamsOf(programs.events);
  const readModels = models.map((model) => model.health);
  const parts = {
    clock,
    store,
    database,
    keys,
    streams,
    processes: engine?.processes,
    readModels,
  };
  return {
    clock,
    keysMissing: keys.missing,
    keysDamaged: keys.damaged,
    store,
    database,
    streams,
    degradedBy: degradationsOf(parts, programs),
    outages: { eventStore: programs.events.outages?.(), database: programs.readModels.outages() },
    now: programs.clock.now(),
    processes: engine?.processes ?? [],
    readModels: models.map(({ status, health }) => ({
      ...health,
      /** Since this program began; undefined where another program follows the model. */
      eventsTaken: status.following?.eventsTaken,
    })),
  };
}

interface Lag {
  readonly lagEvents: number;
  readonly lagSeconds: number;
}

/** The store records events with the clock of the machine, not with the business clock. */
const machine = systemClock();

const NO_LAG: Lag = { lagEvents: 0, lagSeconds: 0 };

/** The lag of positions. Most read models are at the same position. */
async function lagsOf(
  events: EventStore,
  models: readonly Pick<ReadModelStatus, 'position'>[],
): Promise<ReadonlyMap<Position, Lag>> {
  const lags = new Map<Position, Lag>();
  for (const { position } of models)
    if (!lags.has(position)) lags.set(position, await lagAt(events, position).catch(anew));
  return lags;

  /** A read model at a position that was lost begins anew. */
  async function anew(error: unknown): Promise<Lag> {
    if (error instanceof NoSuchPosition) return lagAt(events, BEFORE_FIRST);
    throw error;
  }
}

async function lagAt(events: EventStore, position: Position): Promise<Lag> {
  let lagEvents = 0;
  let since: string | undefined;
  for await (const { recordedAt } of events.readAll({ after: position, maxCount: MOST_LAG_COUNTED })) {
    lagEvents += 1;
    since ??= recordedAt;
  }
  return since === undefined
    ? NO_LAG
    : { lagEvents, lagSeconds: Math.max(0, Date.parse(machine.now()) - Date.parse(since)) / 1000 };
}
