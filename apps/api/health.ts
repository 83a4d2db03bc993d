import { z } from 'zod';
import { instant } from '#domain/kernel/events';
import { healthStatuses, MOST_LAG_COUNTED } from '#requests/health';

const process = z.object({
  name: z.string().describe('The process.'),
  waitingForRetry: z.int().describe('Items that failed and are tried again by themselves.'),
  parked: z.int().describe('Items that failed too often, and wait to be retried by a person.'),
  lastError: z.string().optional().describe('The last error, where there was one.'),
  wakesAt: instant.optional().describe('When its next timer is due.'),
});

const readModel = z.object({
  name: z.string().describe('The read model.'),
  version: z.string().describe('Its version: a hash over its tables, its events and the rows made of them.'),
  position: z.string().describe('Its rows reflect every event up to this position.'),
  lagEvents: z.int().describe(`Events that it does not reflect yet, counted up to ${MOST_LAG_COUNTED}.`),
  lagSeconds: z.number().describe('How long ago the first of these events was recorded.'),
  eventsPerSecond: z.number().optional().describe('Over the last ten seconds, where this program follows it.'),
  parked: z.int().describe('Streams that are left out because one of their events could not be applied.'),
  paused: z.boolean().describe('True while it is paused: it reflects nothing newer until it is resumed.'),
  whole: z.boolean().describe('False while it is built from the beginning of the log; until then it answers nothing.'),
  rebuiltUpTo: z
    .string()
    .optional()
    .describe('How far the rebuild has come that this program does; absent without one.'),
  lastError: z.string().optional().describe('The last error, where there was one.'),
});

export const health = z.object({
  ok: z.boolean().describe('Whether everything works: the status is not red.'),
  status: z
    .enum(healthStatuses)
    .describe('Yellow: it works, but keys are missing or items are parked. Red: a part does not work.'),
  keys: z
    .object({
      missing: z
        .int()
        .describe('Keys of personal data that were looked for and are missing: restore the newest backup of the keys.'),
    })
    .describe('The keys of personal data.'),
  store: z
    .object({
      ok: z.boolean().describe('Whether the event store can be reached.'),
      position: z.string().optional().describe('The end of the log.'),
      error: z.string().optional().describe('The code of the error.'),
    })
    .describe('The event store.'),
  processes: z
    .object({
      position: z.string().describe('The last event that the processes know of.'),
      idle: z.boolean().describe('True when there is nothing to do before the clock moves on.'),
      processes: z.array(process).describe('The processes, one by one.'),
    })
    .describe('The processes that react to events.'),
  readModels: z.array(readModel).describe('The read models, one by one.'),
});
type Health = z.infer<typeof health>;

export const healthExample: Health = {
  ok: true,
  status: 'green',
  keys: { missing: 0 },
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
