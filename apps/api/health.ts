import { z } from 'zod';
import { type EventStore, EventStoreError, type Position } from '#event-store/port';
import type { ReadModels } from '#read-models/read-models';
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
      version: z.int(),
      position: z.string(),
      lagEvents: z.int().describe(`events that it does not reflect yet, counted up to ${MOST_LAG_COUNTED}`),
      parked: z.int().describe('streams that are left out since one of their events could not be taken'),
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
  readModels: [{ name: 'orders', version: 1, position: '0000000000000042', lagEvents: 0, parked: 0 }],
};

/** What works now. Parked items are for people to look at; they make nothing unhealthy. */
export async function examine({ events, operations, readModels }: Parts): Promise<Health> {
  const store = await events.head().then(
    (position) => ({ ok: true, position }),
    (error: unknown) => ({ ok: false, error: error instanceof EventStoreError ? error.code : 'unforeseen' }),
  );
  const models = await Promise.all(
    (await readModels.status().catch(() => [])).map(async ({ name, version, position, parked, lastError }) => ({
      name,
      version,
      position,
      lagEvents: store.ok ? await eventsAfter(events, position) : 0,
      parked: parked.length,
      lastError,
    })),
  );
  // Workers report over the database: without it nobody knows how they are.
  const status = await operations.status().catch(() => undefined);
  const ok =
    store.ok && status !== undefined && models.length > 0 && models.every(({ lastError }) => lastError === undefined);
  const { position, idle, processes } = status ?? { position: '', idle: false, processes: [] };
  return { ok, store, processes: { position, idle, processes: [...processes] }, readModels: models } as Health;
}

/** How far behind a position is. */
export async function eventsAfter(events: EventStore, position: Position): Promise<number> {
  let count = 0;
  for await (const _ of events.readAll({ after: position, maxCount: MOST_LAG_COUNTED })) count += 1;
  return count;
}
