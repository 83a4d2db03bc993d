import { deriveId } from '#domain/kernel/ids';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import { systemClock } from '#gateways/clock';
import type { Lease, Leases } from '#postgres/leases';
import { ProcessEngine } from '#processes/engine/engine';
import type { Process } from '#processes/process';
import { processes } from '#processes/processes';
import type { ReadModels } from '#read-models/read-models';
import { StreamCache } from '#requests/stream-cache';
import { register, toUtc } from '#test/moves-to-utc';
import { waitUntil } from '#test/wait-until';
import { sharesOf } from './shares.ts';
import { Worker } from './worker.ts';

const noEffects = {
  'capture-payment': () => Promise.reject(new Error('no payment is expected')),
  'charge-renewal': () => Promise.reject(new Error('no payment is expected')),
  'make-refund': () => Promise.reject(new Error('no refund is expected')),
  'settle-renewal': () => Promise.reject(new Error('no payment is expected')),
  'send-mail': () => Promise.reject(new Error('no mail is expected')),
  'call-webhook': () => Promise.reject(new Error('no webhook call is expected')),
  'erase-lead': () => Promise.reject(new Error('no erasure is expected')),
  'forget-payer': () => Promise.reject(new Error('no erasure is expected')),
  'keep-person': () => Promise.reject(new Error('no correction is expected')),
  'renew-business-keys': () => Promise.reject(new Error('no renewal of keys is expected')),
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
    createEngine: ({ leaseOf }) => {
      engine = new ProcessEngine({
        store,
        clock: systemClock(),
        // It has the name of a real process, since workers divide those.
        processes: [toUtc('auto-restart')],
        mayActFor: (unit) => leaseOf(unit) !== undefined,
        send: async ({ stream }) => {
          sent.push(stream);
          return { position: await store.head(), events: [] };
        },
        effects: noEffects,
      });
      return engine;
    },
  });
  const running = worker.run();
  try {
    await register(store, 'customer-1');
    await waitUntil(() => sent.length === 1);
    lapsed = true;
    const { position } = await register(store, 'customer-2');
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

/** Of each new customer a call to the outside, whose result is recorded. */
const calling: Process<string[], 'CustomerRegistered'> = {
  ...toUtc('auto-restart'),
  next: (streams) =>
    streams.splice(0).map((stream) => ({
      commandId: deriveId('calling', stream),
      stream: stream as 'customer-1',
      effect: { kind: 'remove-mail-copies', before: '2026-05-01T10:00:00.000Z' },
    })),
};

test('a unit that another worker is to have is handed over once its calls are answered and recorded, and nothing is begun for it', async () => {
  const store = await openEmbeddedStore({});
  const units = processes.filter(({ inParts }) => !inParts).map(({ name }) => name);
  const isOf = (worker: string) => sharesOf(units, ['this one', worker]).get(worker)?.includes(calling.name);
  const other = isOf('another') ? 'another' : 'zealous';
  let workers = ['this one'];
  let appearances = 0;
  const released: string[] = [];
  const leases = {
    worker: 'this one',
    // The worker looks three times in a term, and waits three terms for a call: longer than this test needs, on any machine.
    termMilliseconds: 3000,
    appear: async () => {
      appearances += 1;
      return workers;
    },
    take: async (taken: readonly string[]) => taken.map((unit): Lease => ({ unit, token: 1, holds: () => true })),
    takeRetries: async () => [],
    release: async (units: readonly string[]) => void released.push(...units),
    leave: async () => {},
  };
  const called: string[] = [];
  const recorded: string[] = [];
  const answer = Promise.withResolvers<void>();
  const worker = new Worker({
    leases: leases as unknown as Leases,
    streams: new StreamCache(store),
    readModels: { names: [] } as unknown as ReadModels,
    createEngine: ({ leaseOf, mayBeginFor }) =>
      new ProcessEngine({
        store,
        clock: systemClock(),
        processes: [calling],
        mayActFor: (unit) => leaseOf(unit) !== undefined,
        mayBeginFor,
        send: async ({ stream }) => {
          recorded.push(stream);
          return { position: await store.head(), events: [] };
        },
        effects: {
          ...noEffects,
          'remove-mail-copies': async (_, key) => {
            called.push(key);
            await answer.promise;
            return { type: 'ChangeTimeZone', timeZone: 'UTC' };
          },
        },
      }),
  });
  const running = worker.run();
  try {
    await register(store, 'customer-1');
    await waitUntil(() => called.length === 1);
    workers = ['this one', other];
    const before = appearances;
    await waitUntil(() => appearances > before + 2);
    await register(store, 'customer-2');
    const registered = appearances;
    await waitUntil(() => appearances > registered + 2);
    expect(released).not.toContain(calling.name);
    expect(called).toHaveLength(1);
    answer.resolve();
    await waitUntil(() => released.includes(calling.name));
    expect(recorded).toEqual(['customer-1']);
    expect(called).toHaveLength(1);
  } finally {
    await worker.stop();
    await running;
    await store.close();
  }
});
