import { randomUUID } from 'node:crypto';
import { EventStoreDBClient } from '@eventstore/db-client';
import { jest } from '@jest/globals';
import { waitUntil } from '#test/wait-until';
import { all, event, follow } from './contract/event-store-contract.ts';
import { StreamDamaged } from './damage.ts';
import { openEmbeddedStore } from './embedded/embedded-store.ts';
import { openEventStoreDb } from './eventstoredb/eventstoredb-store.ts';
import { BEFORE_FIRST, type EventStore } from './port.ts';
import { wholeStreamsOf } from './whole-streams.ts';
import { startWireNode, type WireNode } from './wire-node/wire-node.ts';

let log: EventStore;
let node: WireNode;
let administrator: EventStoreDBClient;
let store: EventStore;
let closed: string;
let open: string;
beforeEach(async () => {
  jest.spyOn(console, 'warn').mockImplementation(() => {});
  log = await openEmbeddedStore();
  node = await startWireNode({ store: log, writable: true });
  administrator = EventStoreDBClient.connectionString(node.connectionString as never);
  const adapter = await openEventStoreDb({ connectionString: node.connectionString });
  store = wholeStreamsOf(adapter, { isOurs: (name) => name.startsWith('order-'), now, cuts: adapter });
  [closed, open] = [`order-${randomUUID()}`, `order-${randomUUID()}`];
  await store.append(closed, [event(0), event(1)], 'no-stream');
  await store.append(open, [event(2), event(3)], 'no-stream');
  await waitUntil(() => store.damages?.sight === 'watching');
});
afterEach(async () => {
  await store.close();
  await administrator.dispose();
  await node.close();
  await log.close();
});

const now = () => '2026-05-01T10:00:00.000Z';
const damageOf = (stream: string) => store.damages?.of(stream);

describe('a stream whose access list takes a right from the account', () => {
  it('is named when it cannot be read, and the watch goes on for all others', async () => {
    node.deny({ reads: [closed] });
    await administrator.setStreamMetadata(closed, { acl: { readRoles: ['$admins'] } });
    await waitUntil(() => damageOf(closed) !== undefined);
    expect(damageOf(closed)).toMatchObject({ how: 'no-access', firstRevision: undefined });
    await administrator.setStreamMetadata(open, { maxCount: 1 });
    await waitUntil(() => damageOf(open) !== undefined);
    expect(damageOf(open)).toMatchObject({ how: 'cut', firstRevision: 1 });
    expect(store.damages?.sight).toBe('watching');
    await expect(all(store.readStream(closed))).rejects.toMatchObject({ code: 'stream-access-refused' });
    node.deny({});
    await administrator.setStreamMetadata(closed, {});
    await waitUntil(() => damageOf(closed) === undefined);
    expect(await all(store.readStream(closed))).toHaveLength(2);
  });

  it('is named when it cannot be written to, until its metadata changes', async () => {
    node.deny({ appends: [closed] });
    const refused = store.append(closed, [event(4)], 1);
    await expect(refused).rejects.toMatchObject({
      code: 'stream-access-refused',
      message: `the stream ${closed} cannot be used: its access list does not let this account write to it`,
    });
    expect(store.damages?.all()).toMatchObject([{ stream: closed, how: 'no-access', firstRevision: 0 }]);
    await expect(all(store.readStream(closed))).rejects.toThrow(StreamDamaged);
    await store.append(open, [event(5)], 1);
    node.deny({});
    await administrator.setStreamMetadata(closed, {});
    await waitUntil(() => damageOf(closed) === undefined);
    await store.append(closed, [event(4)], 1);
  });
});

describe('an account that loses the right to read the log while a program runs', () => {
  it('is told as blind, and as watching again when it has it back', async () => {
    node.deny({ reads: ['$all'] });
    await waitUntil(() => store.damages?.sight === 'blind');
    await expect(store.answers?.()).rejects.toMatchObject({ code: 'access-refused' });
    node.deny({});
    await waitUntil(() => store.damages?.sight === 'watching');
  });

  it('keeps its subscriptions, also when they begin anew', async () => {
    const followed = follow(store, { after: BEFORE_FIRST });
    await followed.caughtUp(await store.head());
    node.deny({ reads: ['$all'] });
    node.dropConnections();
    await log.append(open, [event(6)], 1);
    const head = store.head({ until: Number.POSITIVE_INFINITY });
    node.deny({});
    await head;
    await waitUntil(() => followed.events.some(({ id }) => id === event(6).id));
    await followed.stop();
  });
});
