import { z } from 'zod';
import { LeadgerError } from '#domain/kernel/leadger-error';
import { BEFORE_FIRST, type EventStore, NoSuchPosition, type Position } from '#event-store/port';
import { systemClock } from '#gateways/clock';
import { engineStatus } from '#processes/engine/engine';
import { type ReadModelStatus, readModelStatus } from '#read-models/read-models';
import { damagedStreamsIn, sightOf, sights } from './damaged-streams.ts';
import { readModelStatuses } from './operations.ts';
import { type QueryDependencies, sameForAll } from './query-tools.ts';
import { parkedItemOf } from './running-processes.ts';

/** A lag is counted up to this many events: counting more would slow the store down. */
export const MOST_LAG_COUNTED = 1000;

type Programs = Pick<QueryDependencies, 'events' | 'processes' | 'readModels' | 'vault'>;

/** Green: all works. Yellow: it works, and something waits for an operator. Red: a part does not work. */
const healthStatuses = ['green', 'yellow', 'red'] as const;
type HealthStatus = (typeof healthStatuses)[number];

/** The state of the programs, for operators and for their tools. */
export const operationQueries = (programs: Programs) => ({
  getHealth: sameForAll((): Promise<Health> => healthOf(programs)),
  /** The numbers behind the metrics, all read once. */
  getMeasurements: sameForAll(() => measurementsOf(programs)),
  /** Commands and events that failed too often. Each waits for a retry by staff, and only its stream waits with it. */
  listParkedItems: sameForAll(async () => (await programs.processes.parked()).map(parkedItemOf)),
  /** Streams of the ledger that others cut or deleted in the event store. */
  listDamagedStreams: sameForAll(async () => damagedStreamsIn(programs.events.damages)),
  listReadModels: sameForAll(() => readModelStatuses(programs.readModels)),
});

const { name, version, position, paused, whole, rebuiltUpTo, following } = readModelStatus.shape;
const { eventsPerSecond, lastError } = following.unwrap().shape;

const readModelHealth = z.object({
  name: name.describe('The read model.'),
  version,
  position,
  lagEvents: z.int().describe(`Events that it does not reflect yet, counted up to ${MOST_LAG_COUNTED}.`),
  lagSeconds: z.number().describe('How long ago the first of these events was recorded.'),
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
        'Yellow: it works, but keys are missing, items are parked or streams are damaged. Red: a part does not work.',
      ),
    keys: z
      .object({
        missing: z
          .int()
          .describe('Keys of personal data that were looked for and are missing: restore their newest backup.'),
      })
      .describe('The keys of personal data.'),
    streams: z
      .object({
        damaged: z.int().describe('Streams that somebody cut or deleted in the event store: see /api/damaged-streams.'),
        sight: z
          .enum(sights)
          .describe(
            'Whether that is seen. blind: this account may not see it; alone: nobody else can touch the streams.',
          ),
      })
      .describe('Whether the streams of the ledger are whole.'),
    store: z
      .object({
        ok: z.boolean().describe('Whether the event store can be reached.'),
        position: z.string().optional().describe('The end of the log.'),
        error: z.string().optional().describe('The code of the error.'),
      })
      .describe('The event store.'),
    processes: engineStatus.omit({ caughtUpTo: true }).describe('The processes that react to events.'),
    readModels: z.array(readModelHealth).describe('The read models, one by one.'),
  })
  .meta({ id: 'Health' });
type Health = z.infer<typeof health>;

export const healthExample: z.input<typeof health> = {
  ok: true,
  status: 'green',
  keys: { missing: 0 },
  streams: { damaged: 0, sight: 'watching' },
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

/** The parts that work now. Parked items, missing keys and damaged streams do not make the store unhealthy: it works for everybody else. */
async function healthOf({ events, processes, readModels, vault }: Programs): Promise<Health> {
  const store = await events.head().then(
    (position) => ({ ok: true, position }),
    (error: unknown) => ({ ok: false, error: error instanceof LeadgerError ? error.code : 'unforeseen' }),
  );
  const statuses = await readModels.status().catch(() => []);
  const lags = store.ok ? await lagsOf(events, statuses) : new Map<Position, Lag>();
  const models = statuses.map((status) => healthOfModel(status, lags));
  // Workers report over the database: without it their state is unknown.
  const engine = await processes.status().catch(() => undefined);
  const ok =
    store.ok && engine !== undefined && models.length > 0 && models.every(({ lastError }) => lastError === undefined);
  const { position, idle, processes: all } = engine ?? { position: '', idle: false, processes: [] };
  const keys = { missing: vault.keysMissed };
  const hasParked = [...all, ...models].some(({ parked }) => parked > 0);
  const streams = streamsOf(events);
  const waits = hasParked || keys.missing > 0 || streams.damaged > 0;
  const status: HealthStatus = ok ? (waits ? 'yellow' : 'green') : 'red';
  return { ok, status, store, keys, streams, processes: { position, idle, processes: all }, readModels: models };
}

const streamsOf = ({ damages }: EventStore) => ({
  damaged: damages?.all().length ?? 0,
  sight: sightOf(damages),
});

const healthOfModel = (
  { position, parkedStreams, following, ...status }: ReadModelStatus,
  lags: ReadonlyMap<Position, Lag>,
): z.infer<typeof readModelHealth> => ({
  ...status,
  position,
  ...(lags.get(position) ?? NO_LAG),
  eventsPerSecond: following?.eventsPerSecond,
  lastError: following?.lastError,
  parked: parkedStreams.length,
});

export type Measurements = Awaited<ReturnType<typeof measurementsOf>>;

async function measurementsOf({ events, processes, readModels, vault }: Programs) {
  const engine = await processes.status();
  const statuses = await readModels.status();
  const lags = await lagsOf(events, statuses);
  return {
    keysMissing: vault.keysMissed,
    streams: streamsOf(events),
    processes: engine?.processes ?? [],
    readModels: statuses.map((status) => ({
      ...healthOfModel(status, lags),
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
