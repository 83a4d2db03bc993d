import { randomUUID } from 'node:crypto';
import { EventStoreDBClient } from '@eventstore/db-client';
import { jest } from '@jest/globals';
import { waitUntil } from '#test/wait-until';
import { all } from './contract/event-store-contract.ts';
import { StreamDamaged } from './damage.ts';
import { openEmbeddedStore } from './embedded/embedded-store.ts';
import { openEventStoreDb } from './eventstoredb/eventstoredb-store.ts';
import { AccessRefused, type EventStore, type NewEvent } from './port.ts';
import { wholeStreamsOf } from './whole-streams.ts';
import { startWireNode } from './wire-node/wire-node.ts';

const event = (number: number): NewEvent => ({
  id: randomUUID(),
  type: `Type${number}`,
  data: Buffer.from('{}'),
  metadata: Buffer.from('{}'),
});

/** A server that is given, or a node of ours. */
async function startServer(): Promise<{ url: string; close(): Promise<void> }> {
  const url = process.env.EVENTSTORE_URL;
  if (url) return { url, close: async () => {} };
  const store = await openEmbeddedStore();
  const node = await startWireNode({ store, writable: true });
  return {
    url: node.connectionString,
    async close() {
      await node.close();
      await store.close();
    },
  };
}

let server: Awaited<ReturnType<typeof startServer>>;
let administrator: EventStoreDBClient;
let store: EventStore;
let stream: string;
beforeAll(async () => {
  jest.spyOn(console, 'warn').mockImplementation(() => {});
  server = await startServer();
  administrator = EventStoreDBClient.connectionString(server.url as never);
});
afterAll(async () => {
  await administrator.dispose();
  await server.close();
});
beforeEach(async () => {
  store = await openWhole();
  stream = `order-${randomUUID()}`;
  await store.append(stream, [event(0), event(1), event(2)], 'no-stream');
});
afterEach(() => store.close());

async function openWhole(): Promise<EventStore> {
  const adapter = await openEventStoreDb({ connectionString: server.url });
  return wholeStreamsOf(adapter, { isOurs: (name) => name.startsWith('order-'), now, cuts: adapter });
}

const now = () => '2026-05-01T10:00:00.000Z';

const damageOf = (name: string) => store.damages?.all().find((damage) => damage.stream === name);

/** Resolves when what is known of the stream is so. */
async function becomes(expected: object | undefined): Promise<void> {
  const isSo = () =>
    expected === undefined
      ? damageOf(stream) === undefined
      : Object.entries(expected).every(([key, value]) => damageOf(stream)?.[key as 'how'] === value);
  await waitUntil(isSo);
}

async function isRefused(): Promise<void> {
  await expect(all(store.readStream(stream))).rejects.toThrow(StreamDamaged);
  await expect(all(store.readStream(stream, { from: 2 }))).rejects.toThrow(StreamDamaged);
  await expect(all(store.readStream(stream, { direction: 'backwards' }))).rejects.toThrow(StreamDamaged);
  await expect(store.append(stream, [event(3)], 2)).rejects.toThrow(StreamDamaged);
  await expect(store.append(stream, [event(3)], 'no-stream')).rejects.toThrow(StreamDamaged);
}

describe('a stream of ours', () => {
  it.each([{ maxCount: 1 }, { truncateBefore: 2 }])('that its metadata cuts (%j) is not read', async (metadata) => {
    await administrator.setStreamMetadata(stream, metadata);
    await becomes({ how: 'cut', firstRevision: 2 });
    await isRefused();
  });

  it('is whole again when its metadata is taken back', async () => {
    await store.damages?.searched();
    let changes = 0;
    store.damages?.onChange(() => {
      changes += 1;
    });
    await administrator.setStreamMetadata(stream, { maxCount: 1 });
    await becomes({ how: 'cut' });
    await administrator.setStreamMetadata(stream, {});
    await becomes(undefined);
    expect(await all(store.readStream(stream))).toHaveLength(3);
    expect(changes).toBe(2);
  });

  it('is refused by the first read, also before its metadata is noticed', async () => {
    await administrator.setStreamMetadata(stream, { maxCount: 1 });
    await expect(all(store.readStream(stream))).rejects.toThrow(StreamDamaged);
    await expect(all(store.readStream(stream, { direction: 'backwards' }))).rejects.toThrow(StreamDamaged);
  });

  it('goes on while its metadata hides nothing yet, and is refused once it does', async () => {
    await administrator.setStreamMetadata(stream, { maxCount: 3 });
    await becomes({ how: 'cut', firstRevision: 0 });
    await store.append(stream, [event(3)], 2);
    await becomes({ how: 'cut', firstRevision: 1 });
    await isRefused();
  });

  it('that was deleted is no new stream', async () => {
    await administrator.deleteStream(stream);
    await becomes({ how: 'deleted', firstRevision: undefined });
    await isRefused();
  });

  it('that was deleted is whole again when its metadata is taken back', async () => {
    await administrator.deleteStream(stream);
    await becomes({ how: 'deleted' });
    // The first time a server only ends the deletion, and cuts what was before.
    await administrator.setStreamMetadata(stream, { truncateBefore: 0 });
    await administrator.setStreamMetadata(stream, { truncateBefore: 0 });
    await becomes(undefined);
    await store.append(stream, [event(3)], 2);
    expect(await all(store.readStream(stream))).toHaveLength(4);
  });

  it('that was deleted and begins again before that is noticed, is damaged by it', async () => {
    const blind = wholeStreamsOf(await openEventStoreDb({ connectionString: server.url }), { isOurs: () => true, now });
    await administrator.deleteStream(stream);
    await expect(blind.append(stream, [event(3)], 'no-stream')).rejects.toThrow(StreamDamaged);
    await expect(all(blind.readStream(stream))).rejects.toThrow(StreamDamaged);
    await blind.close();
    await becomes({ firstRevision: 3 });
    await isRefused();
  });

  it('that was deleted for ever says so', async () => {
    await administrator.tombstoneStream(stream);
    await becomes({ how: 'tombstoned' });
    await isRefused();
    await expect(all(store.readStream(stream))).rejects.toThrow(
      `the stream ${stream} is damaged: it was deleted for ever`,
    );
  });

  it('is known to be damaged by a program that starts later', async () => {
    await administrator.tombstoneStream(stream);
    const later = await openWhole();
    await later.damages?.searched();
    expect(later.damages?.of(stream)).toMatchObject({ how: 'tombstoned' });
    await later.close();
  });

  it('shows its hidden events in the log as a whole', async () => {
    await administrator.deleteStream(stream);
    const shown = await all(store.readAll({ filter: { streamPrefixes: [stream] } }));
    expect(shown.filter(({ type }) => !type.startsWith('$'))).toHaveLength(3);
  });
});

describe('an account that may not see what others do to streams', () => {
  it('is told as blind; reads find what is hidden all the same', async () => {
    const adapter = await openEventStoreDb({ connectionString: server.url });
    const refused = (): never => {
      throw new AccessRefused('the account may not read $all');
    };
    const isOurs = (name: string) => name.startsWith('order-');
    const blind = wholeStreamsOf(adapter, { isOurs, now, cuts: { followCuts: refused } });
    await blind.damages?.searched();
    expect(blind.damages?.sight).toBe('blind');
    await administrator.setStreamMetadata(stream, { maxCount: 1 });
    await expect(all(blind.readStream(stream))).rejects.toThrow(StreamDamaged);
    await blind.close();
  });
});

describe('a stream of others', () => {
  it('may be cut and deleted', async () => {
    const other = `invoice-${randomUUID()}`;
    await store.append(other, [event(0), event(1)], 'no-stream');
    await administrator.setStreamMetadata(other, { maxCount: 1 });
    expect(await all(store.readStream(other))).toHaveLength(1);
    await administrator.deleteStream(other);
    await store.append(other, [event(2)], 'no-stream');
    expect(damageOf(other)).toBeUndefined();
  });
});
