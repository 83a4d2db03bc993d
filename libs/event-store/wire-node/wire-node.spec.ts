import { setTimeout as wait } from 'node:timers/promises';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { GossipClient } from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import { ServerFeaturesClient } from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import type { SupportedMethods } from '@eventstore/db-client/generated/serverfeatures_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import { credentials, Metadata } from '@grpc/grpc-js';
import { RawCalls } from '#test/server-answers/raw-calls';
import { waitUntil } from '#test/wait-until';
import { openEmbeddedStore } from '../embedded/embedded-store.ts';
import type { EventStore, NewEvent } from '../port.ts';
import { PLAIN_MANNERS, SERVER_MANNERS } from './manners.ts';
import { startWireNode, type WireNode, type WireNodeOptions } from './wire-node.ts';

/** Closed in reverse order at the end of each test. */
const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

async function start(options: Partial<WireNodeOptions> = {}) {
  const store = options.store ?? (await openEmbeddedStore());
  opened.push(() => store.close());
  const node = await startWireNode({ writable: true, ...options, store });
  opened.push(() => node.close());
  return { store, node, calls: rawCallsTo(node) };
}

function rawCallsTo(node: WireNode): RawCalls {
  const calls = new RawCalls(`127.0.0.1:${node.port}`);
  opened.push(() => calls.close());
  return calls;
}

function clientOf(connectionString: string): EventStoreDBClient {
  const client = EventStoreDBClient.connectionString(connectionString);
  opened.push(() => client.dispose());
  return client;
}

const large = (count: number): NewEvent[] =>
  Array.from({ length: count }, () => ({
    id: crypto.randomUUID(),
    type: 'Large',
    data: new Uint8Array(64 * 1024),
    metadata: new Uint8Array(0),
  }));

/** A store that says how many reads of it are open. */
function counted(store: EventStore) {
  const open = { reads: 0, begun: 0, yielded: 0 };
  const counting: EventStore = {
    append: (...request) => store.append(...request),
    readStream: (...request) => store.readStream(...request),
    async *readAll(...request) {
      open.reads += 1;
      open.begun += 1;
      try {
        for await (const event of store.readAll(...request)) {
          open.yielded += 1;
          yield event;
        }
      } finally {
        open.reads -= 1;
      }
    },
    subscribe: (...request) => store.subscribe(...request),
    head: () => store.head(),
    placeAt: (position) => store.placeAt(position),
    identity: () => store.identity(),
    limits: store.limits,
    close: () => store.close(),
  };
  return { store: counting, open };
}

describe('the manners of a server', () => {
  it('leave the 101st open call of a connection, and an append after it, without an answer', async () => {
    const { calls, node } = await start();
    let confirmed = 0;
    const follow = () =>
      void calls.read({ from: 'end' }, (all) => {
        if (all.at(-1) === 'caught up') confirmed += 1;
        return false;
      });
    for (let index = 0; index < 101; index += 1) follow();
    await waitUntil(() => confirmed === 100);
    let answer: string | undefined;
    void calls.append({ stream: 'a-1', events: [{}] }).then((text) => {
      answer = text;
    });
    expect(await rawCallsTo(node).append({ stream: 'b-1', events: [{}] })).toBe('written 0 position');
    await wait(200);
    expect({ confirmed, answer }).toEqual({ confirmed: 100, answer: undefined });
  });

  it.each([
    [
      'drop',
      SERVER_MANNERS,
      'error 10 Operation timed out: Consumer too slow to handle event while live. Client resubscription required.',
    ],
    ['wait for', { ...PLAIN_MANNERS, idleMilliseconds: 600_000 }, 'a-1@200 Large bytes'],
  ])('%s a live subscriber that does not read', async (_, manners, last) => {
    const { calls, store } = await start({ manners });
    const subscriber = calls.follow({ stream: 'a-1', from: 'end' });
    await waitUntil(() => subscriber.seen.length > 0);
    await store.append('a-1', large(1), 'no-stream');
    await waitUntil(() => subscriber.seen.some((text) => text.includes('@0')));
    subscriber.pause();
    for (let index = 0; index < 20; index += 1) await store.append('a-1', large(10), 'any');
    await wait(500);
    subscriber.resume();
    await waitUntil(() => subscriber.seen.some((text) => text === last));
  });

  it('end a read of which nothing is read', async () => {
    const { store, open } = counted(await openEmbeddedStore());
    await store.append('a-1', large(15), 'no-stream');
    await store.append('a-1', large(15), 'any');
    await store.append('a-1', large(15), 'any');
    await store.append('a-1', large(15), 'any');
    const { calls } = await start({ store, manners: { ...SERVER_MANNERS, idleMilliseconds: 300 } });
    calls.follow({ count: 1000 }).pause();
    await waitUntil(() => open.begun === 1 && open.reads === 0);
    expect(open.yielded).toBeLessThan(60);
    // Others are served all the time.
    expect(await calls.append({ stream: 'b-1', events: [{}] })).toBe('written 0 position');
  });

  it('end a read of no event, which a server never answers', async () => {
    const { calls } = await start({ manners: { ...SERVER_MANNERS, idleMilliseconds: 100 } });
    expect(await calls.read({ count: 0 })).toEqual(['error 4 Nothing was read for 0.1 seconds.']);
  });

  it('end reads that were broken off with their connection', async () => {
    const { store, open } = counted(await openEmbeddedStore());
    for (let index = 0; index < 5; index += 1) await store.append('a-1', large(15), 'any');
    const { node } = await start({ store });
    for (let round = 0; round < 3; round += 1) {
      const calls = new RawCalls(`127.0.0.1:${node.port}`);
      const readers = Array.from({ length: 50 }, () => calls.follow({ count: 1000 }));
      await waitUntil(() => readers.every(({ seen }) => seen.length > 0));
      for (const reader of readers) reader.pause();
      expect(open.reads).toBeGreaterThan(0);
      node.dropConnections();
      calls.close();
      await waitUntil(() => open.reads === 0);
    }
  });
});

describe('a node without the manners of a server', () => {
  it('has the positions of its store', async () => {
    const { calls, store } = await start({ manners: PLAIN_MANNERS });
    for (let index = 0; index < 8; index += 1) await calls.append({ stream: 'a-1', events: [{}] });
    expect(Number(await store.head())).toBe(8);
    expect(await calls.positionOf('a-1')).toBe(8n);
    expect(await calls.read({ count: 100 })).toHaveLength(9);
  });
});

describe('positions', () => {
  it('have gaps, and a read can begin at each of them', async () => {
    const { calls } = await start();
    const positions: bigint[] = [];
    for (let index = 0; index < 40; index += 1) {
      await calls.append({ stream: 'a-1', events: [{}] });
      positions.push(await calls.positionOf('a-1'));
    }
    const gaps = new Set(positions.slice(1).map((position, index) => position - (positions[index] as bigint)));
    expect(gaps.size).toBeGreaterThan(1);
    const whole = await calls.read({ count: 100 });
    expect(whole.filter((text) => text.startsWith('$'))).toHaveLength(4);
    for (const [index, from] of positions.entries())
      expect((await calls.read({ count: 100, from })).filter((text) => !text.startsWith('$'))).toHaveLength(40 - index);
    // Events of the server have positions, too.
    const forwards = await calls.positions({ count: 100 });
    expect(forwards).toEqual([...forwards].sort((a, b) => Number(a - b)));
    const backwards = await calls.positions({ count: 100, from: 'end', backwards: true });
    expect(backwards).toEqual(forwards.toReversed());
    for (const [index, from] of forwards.entries()) {
      expect(await calls.positions({ count: 100, from })).toEqual(forwards.slice(index));
      expect(await calls.positions({ count: 100, from, backwards: true })).toEqual(forwards.slice(0, index).reverse());
    }
  });
});

describe('a stream of the ledger', () => {
  it('cannot be deleted or cut, a stream of others can', async () => {
    const { calls } = await start({ isProtected: (stream) => stream.startsWith('order-') });
    await calls.append({ stream: 'order-1', events: [{}] });
    await calls.append({ stream: 'other-1', events: [{}] });
    const cut = (stream: string, data: string) => calls.append({ stream, events: [{ type: '$metadata', data }] });
    const denied = /^error 7 order-1 belongs to the ledger: its events stay, exception access-denied$/;
    expect(await calls.delete('order-1')).toMatch(denied);
    expect(await calls.tombstone('order-1')).toMatch(denied);
    for (const key of ['$maxCount', '$maxAge', '$tb']) expect(await cut('$$order-1', `{"${key}":1}`)).toMatch(denied);
    expect(await cut('$$order-1', '{"$acl":{"$r":"$all"}}')).toBe('written 0 position');
    expect(await calls.read({ stream: 'order-1', count: 9 })).toHaveLength(1);
    expect(await calls.delete('other-1')).toBe('deleted');
  });
});

describe('an event that is too old', () => {
  it('is not read', async () => {
    const { calls } = await start();
    await calls.append({ stream: 'a-1', events: [{}, {}] });
    await calls.append({ stream: '$$a-1', events: [{ type: '$metadata', data: '{"$maxAge":1}' }] });
    await waitUntil(async () => (await calls.read({ stream: 'a-1', count: 9 })).length === 0);
    await calls.append({ stream: 'a-1', events: [{}] });
    expect(await calls.read({ stream: 'a-1', count: 9 })).toEqual(['a-1@2 Written json']);
  });
});

describe('a node with an account', () => {
  it.each([
    ['no account', undefined, 7],
    ['a wrong password', 'Basic YWRtaW46d3Jvbmc=', 16],
    ['the account', 'Basic YWRtaW46cmlnaHQ=', undefined],
  ])('answers a client that names %s', async (_, authorization, expected) => {
    const { node } = await start({ account: { user: 'admin', password: 'right' } });
    const client = new GossipClient(`127.0.0.1:${node.port}`, credentials.createInsecure());
    opened.push(() => client.close());
    const metadata = new Metadata();
    if (authorization) metadata.set('authorization', authorization);
    const code = await new Promise((resolve) =>
      client.read(new shared.Empty(), metadata, (error) => resolve(error?.code)),
    );
    expect(code).toBe(expected);
  });
});

describe('the client of EventStoreDB', () => {
  it.each(['esdb+discover://127.0.0.1:PORT?tls=false', 'esdb://127.0.0.1:PORT,127.0.0.1:PORT?tls=false'])(
    'finds a node by %s',
    async (url) => {
      const { node } = await start();
      const client = clientOf(url.replaceAll('PORT', String(node.port)));
      expect(await client.appendToStream('a-1', jsonEvent({ type: 'Written', data: {} }))).toMatchObject({
        success: true,
      });
    },
  );

  it('writes nothing after its deadline', async () => {
    const { node, calls } = await start();
    const client = clientOf(node.connectionString);
    const late = client.appendToStream('a-1', jsonEvent({ type: 'Written', data: {} }), { deadline: -1000 });
    await expect(late).rejects.toMatchObject({ type: 'deadline-exceeded' });
    expect(await calls.read({ stream: 'a-1', count: 1 })).toEqual(['stream not found']);
  });

  it('gets and sets metadata of a stream, deletes and tombstones it', async () => {
    const { node } = await start();
    const client = clientOf(node.connectionString);
    await client.appendToStream('a-1', jsonEvent({ type: 'Written', data: {} }));
    await client.setStreamMetadata('a-1', { maxCount: 3, acl: { readRoles: ['$all'] } });
    expect(await client.getStreamMetadata('a-1')).toMatchObject({
      metadata: { maxCount: 3, acl: { readRoles: ['$all'] } },
    });
    expect(await client.deleteStream('a-1')).toMatchObject({ position: {} });
    expect(await client.tombstoneStream('a-1')).toMatchObject({ position: {} });
    await expect(client.appendToStream('a-1', jsonEvent({ type: 'Written', data: {} }))).rejects.toMatchObject({
      type: 'stream-deleted',
      streamName: 'a-1',
    });
  });

  it('is told what the node can do, and gets UNIMPLEMENTED for the rest', async () => {
    const { node } = await start();
    expect(await methodsOf(node)).toEqual([
      'gossip.gossip/read',
      'server_features.serverfeatures/getsupportedmethods',
      'streams.streams/append',
      'streams.streams/batchappend',
      'streams.streams/delete',
      'streams.streams/read',
      'streams.streams/tombstone',
    ]);
    const client = clientOf(node.connectionString);
    await expect(client.listProjections()).rejects.toMatchObject({ code: 12 });
  });
});

function methodsOf(node: WireNode): Promise<string[]> {
  const client = new ServerFeaturesClient(`127.0.0.1:${node.port}`, credentials.createInsecure());
  opened.push(() => client.close());
  return new Promise((resolve, reject) =>
    client.getSupportedMethods(new shared.Empty(), (error, methods: SupportedMethods) => {
      if (error) reject(error);
      else
        resolve(
          methods
            .getMethodsList()
            .map((one) => `${one.getServiceName().replace('event_store.client.', '')}/${one.getMethodName()}`)
            .sort(),
        );
    }),
  );
}

describe('a stream that was deleted', () => {
  it('is followed from its end: what is appended next arrives', async () => {
    const { node } = await start();
    const client = clientOf(node.connectionString);
    const append = () => client.appendToStream('a-1', jsonEvent({ type: 'Written', data: {} }));
    await append();
    await client.deleteStream('a-1');
    const subscription = client.subscribeToStream('a-1');
    const seen: number[] = [];
    subscription.on('data', ({ event }) => seen.push(Number(event?.revision)));
    await new Promise((confirmed) => subscription.on('confirmation', () => confirmed(undefined)));
    await append();
    await waitUntil(() => seen.length > 0);
    expect(seen).toEqual([1]);
    await subscription.unsubscribe();
  });

  it('for ever ends its live subscriptions', async () => {
    const { node } = await start();
    const client = clientOf(node.connectionString);
    await client.appendToStream('a-1', jsonEvent({ type: 'Written', data: {} }));
    const subscription = client.subscribeToStream('a-1');
    const ended = new Promise((resolve) => subscription.on('error', resolve));
    await new Promise((caughtUp) => subscription.on('data', caughtUp));
    await client.tombstoneStream('a-1');
    expect(await ended).toMatchObject({ type: 'stream-deleted' });
  });
});

describe('metadata', () => {
  it.each([
    ['with a value that is no number', '{"$maxCount":"2","$tb":1}', 'application/json', 3],
    ['with a number of 0 events', '{"$maxCount":0,"$tb":1}', 'application/json', 3],
    ['that is not said to be JSON', '{"$tb":1}', 'application/octet-stream', 3],
    ['that is valid', '{"$tb":1}', 'application/json', 2],
  ])('%s hides only what a server would hide', async (_, data, contentType, left) => {
    const { store, calls } = await start();
    await calls.append({ stream: 'a-1', events: [{}, {}, {}] });
    const [id, metadata, json] = [crypto.randomUUID(), new Uint8Array(0), contentType === 'application/json'];
    const event = { id, type: '$metadata', data: Buffer.from(data), metadata, json };
    await store.appendAsServer?.('$$a-1', [event], 'no-stream');
    expect(await calls.read({ stream: 'a-1', count: 9 })).toHaveLength(left);
  });
});

describe('a node that takes only events of a ledger', () => {
  it('refuses those of others, and metadata', async () => {
    const accepts = ({ stream, metadata }: { stream: string; metadata: Uint8Array }) =>
      stream.startsWith('order-') && Buffer.from(metadata).includes('commandId');
    const { node } = await start({ accepts });
    const client = clientOf(node.connectionString);
    const own = jsonEvent({ type: 'Written', data: {}, metadata: { commandId: 'c' } });
    await client.appendToStream('order-1', own);
    const others = jsonEvent({ type: 'Note', data: {} });
    for (const stream of ['order-1', 'shop-1'])
      await expect(client.appendToStream(stream, others)).rejects.toMatchObject({ type: 'access-denied' });
    const closed = client.setStreamMetadata('order-1', { acl: { readRoles: ['$admins'] } });
    await expect(closed).rejects.toMatchObject({ type: 'access-denied' });
  });
});
