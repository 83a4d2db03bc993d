import { z } from 'zod';
import { LeadgerError } from '#domain/kernel/leadger-error';
import type { EventStore, Position } from '#event-store/port';
import { systemClock } from '#gateways/clock';
import type { ReadModelStatus, ReadModels } from '#read-models/read-models';
import type { Operations } from '#wiring/operations';

export interface Parts {
  readonly events: EventStore;
  readonly operations: Operations;
  readonly readModels: ReadModels;
}

/** Whoever is behind by more is far behind; counting on would only hold up the store. */
const MOST_LAG_COUNTED = 1000;

export const health = z.object({
  ok: z.boolean(),
  store: z.object({ ok: z.boolean(), position: z.string().optional(), error: z.string().optional() }),
  processes: z.object({
    position: z.string().describe('the last event that the processes know of'),
    idle: z.boolean().describe('nothing is to be done before the clock moves on'),
    processes: z.array(
      z.object({
        name: z.string(),
        waitingForRetry: z.int(),
        parked: z.int(),
        lastError: z.string().optional(),
        wakesAt: z.string().optional(),
      }),
    ),
  }),
  readModels: z.array(
    z.object({
      name: z.string(),
      version: z.string().describe('changes with the tables, the events and the rows made of them'),
      position: z.string(),
      lagEvents: z.int().describe(`events that it does not reflect yet, counted up to ${MOST_LAG_COUNTED}`),
      lagSeconds: z.number().describe('how long ago the first of them was recorded'),
      eventsPerSecond: z.number().optional().describe('taken over the last ten seconds, where this program follows it'),
      parked: z.int().describe('streams that are left out since one of their events could not be taken'),
      paused: z.boolean().describe('it stays as it is until it is resumed'),
      whole: z
        .boolean()
        .describe('false while it is built from the beginning of the log: until then it answers nothing'),
      rebuiltUpTo: z.string().optional().describe('how far a rebuild has come that this program does beside it'),
      lastError: z.string().optional(),
    }),
  ),
});
export type Health = z.infer<typeof health>;

export const healthExample: Health = {
  ok: true,
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

/** What works now. Parked items are for people to look at; they make nothing unhealthy. */
export async function examine({ events, operations, readModels }: Parts): Promise<Health> {
  const store = await events.head().then(
    (position) => ({ ok: true, position }),
    (error: unknown) => ({ ok: false, error: error instanceof LeadgerError ? error.code : 'unforeseen' }),
  );
  const statuses = await readModels.status().catch(() => []);
  const lags = store.ok ? await lagsOf(events, statuses) : new Map<Position, Lag>();
  const models = statuses.map(({ position, parked, following, ...status }) => ({
    ...status,
    position,
    ...(lags.get(position) ?? NO_LAG),
    eventsPerSecond: following?.eventsPerSecond,
    lastError: following?.lastError,
    parked: parked.length,
  }));
  // Workers report over the database: without it nobody knows how they are.
  const status = await operations.status().catch(() => undefined);
  const ok =
    store.ok && status !== undefined && models.length > 0 && models.every(({ lastError }) => lastError === undefined);
  const { position, idle, processes } = status ?? { position: '', idle: false, processes: [] };
  return { ok, store, processes: { position, idle, processes: [...processes] }, readModels: models } as Health;
}

export interface Lag {
  readonly lagEvents: number;
  readonly lagSeconds: number;
}

/** What the store recorded it recorded by a machine's clock, whatever the business's clock says. */
const machine = systemClock();

const NO_LAG: Lag = { lagEvents: 0, lagSeconds: 0 };

/** How far behind positions are. Most models stand at the same one. */
export async function lagsOf(
  events: EventStore,
  models: readonly Pick<ReadModelStatus, 'position'>[],
): Promise<ReadonlyMap<Position, Lag>> {
  const lags = new Map<Position, Lag>();
  for (const { position } of models) if (!lags.has(position)) lags.set(position, await lagAt(events, position));
  return lags;
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
