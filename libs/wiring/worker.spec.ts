import { encode } from '#domain/codec';
import { deriveId } from '#domain/kernel/ids';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import { systemClock } from '#gateways/clock';
import { ProcessEngine } from '#processes/engine/engine';
import type { Process } from '#processes/process';
import type { ReadModels } from '#read-models/read-models';
import { StreamCache } from '#requests/stream-cache';
import { businessOf } from '#test/boxes';
import { waitUntil } from '#test/wait-until';
import type { Lease, Leases } from './leases.ts';
import { Worker } from './worker.ts';

/** Moves every new customer to UTC. It has the name of a real process, since workers divide those. */
const toUtc: Process<string[], 'CustomerRegistered'> = {
  name: 'auto-restart',
  eventTypes: ['CustomerRegistered'],
  initialState: () => [],
  evolve: (streams, { stream }) => void streams.push(stream),
  next: (streams) =>
    streams.splice(0).map((stream) => ({
      commandId: deriveId('to-utc', stream),
      stream: stream as 'customer-1',
      command: { type: 'ChangeTimeZone', timeZone: 'UTC' },
    })),
};

const noEffects = {
  'capture-payment': () => Promise.reject(new Error('no payment is expected')),
  'charge-renewal': () => Promise.reject(new Error('no payment is expected')),
  'settle-renewal': () => Promise.reject(new Error('no payment is expected')),
  'send-mail': () => Promise.reject(new Error('no mail is expected')),
  'call-webhook': () => Promise.reject(new Error('no webhook call is expected')),
  'erase-lead': () => Promise.reject(new Error('no erasure is expected')),
  'complete-erasure': () => Promise.reject(new Error('no erasure is expected')),
  'remove-mail-copies': () => Promise.reject(new Error('no removal is expected')),
  'destroy-keys': () => Promise.reject(new Error('no erasure is expected')),
};

test('wishes that arose while a lease had lapsed are carried out after it is renewed, without a further event', async () => {
  const store = await openEmbeddedStore({});
  let lapsed = false;
  const lease = (unit: string): Lease => ({ unit, token: 1, holds: () => !lapsed });
  const leases = {
    worker: 'this one',
    termMilliseconds: 60,
    appear: async () => ['this one'],
    take: async (units: readonly string[]) => units.map(lease),
    takeRetries: async () => [],
    release: async () => {},
    leave: async () => {},
  } as unknown as Leases;
  const sent: string[] = [];
  let engine: ProcessEngine | undefined;
  const worker = new Worker({
    leases,
    streams: new StreamCache(store),
    readModels: { names: [] } as unknown as ReadModels,
    createEngine: (leaseOf) => {
      engine = new ProcessEngine({
        store,
        clock: systemClock(),
        processes: [toUtc],
        mayActFor: (unit) => leaseOf(unit) !== undefined,
        send: async ({ stream }) => {
          sent.push(stream);
          return { position: await store.head() };
        },
        effects: noEffects,
      });
      return engine;
    },
  });
  const register = async (id: string) => {
    const event = { storeId: 'main', ...businessOf('Abc'), timeZone: 'America/New_York' };
    const eventId = deriveId('worker.spec', id);
    const cause = { commandId: eventId, correlationId: eventId, actor: 'staff:spec' };
    const data = { at: '2026-05-01T10:00:00.000Z', ...event };
    const { position } = await store.append(
      `customer-${id}`,
      [{ id: eventId, ...encode(`customer-${id}`, { type: 'CustomerRegistered', data }, cause) }],
      'no-stream',
    );
    return position;
  };

  const running = worker.run();
  try {
    await register('1');
    await waitUntil(() => sent.length === 1);
    lapsed = true;
    const position = await register('2');
    await waitUntil(() => engine?.status().position === position && engine?.status().idle === true);
    expect(sent).toEqual(['customer-1']);
    lapsed = false;
    await waitUntil(() => sent.length === 2);
    expect(sent).toEqual(['customer-1', 'customer-2']);
  } finally {
    await worker.stop();
    await running;
    await store.close();
  }
});
