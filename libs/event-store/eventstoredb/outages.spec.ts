import { FAR_AWAY_MILLISECONDS, waitUntil } from '#test/wait-until';
import { all, event, follow } from '../contract/event-store-contract.ts';
import { openEmbeddedStore } from '../embedded/embedded-store.ts';
import { AccessRefused, BEFORE_FIRST, type EventStore, OutcomeUnknown, StoreUnavailable } from '../port.ts';
import { type ClusterRole, startWireCluster, type WireCluster } from '../wire-node/wire-cluster.ts';
import { startWireNode } from '../wire-node/wire-node.ts';
import { openEventStoreDb } from './eventstoredb-store.ts';

describe('a cluster of three nodes', () => {
  let store: EventStore;
  let cluster: WireCluster;
  let adapter: EventStore;
  const lines: string[] = [];
  const rejected: unknown[] = [];
  const note = (reason: unknown) => rejected.push(reason);

  beforeEach(async () => {
    process.on('unhandledRejection', note);
    lines.length = 0;
    store = await openEmbeddedStore();
    cluster = await startWireCluster(store, 3);
    adapter = await openEventStoreDb({
      connectionString: `${cluster.connectionString}&gossipTimeout=1`,
      answerWithinMilliseconds: 250,
      patienceMilliseconds: FAR_AWAY_MILLISECONDS,
      log: (line) => lines.push(line),
    });
  });
  afterEach(async () => {
    await adapter.close();
    await cluster.close();
    await store.close();
    process.off('unhandledRejection', note);
    expect(rejected.splice(0)).toEqual([]);
  });

  const ids = async () => (await all(store.readAll())).map(({ id }) => id);
  const appendMany = (from: number, count: number) =>
    Array.from({ length: count }, (_, index) =>
      adapter.append(`s-${from + index}`, [event(from + index)], 'no-stream'),
    );
  const expectedIds = (count: number) => Array.from({ length: count }, (_, number) => event(number).id);

  it.each<ClusterRole>(['deposed', 'frozen', 'away'])(
    'whose leader is %s: appends go to the new leader, once and in their order, and subscriptions go on there',
    async (role) => {
      const subscription = follow(adapter, { after: BEFORE_FIRST });
      await Promise.all(appendMany(0, 20));
      await cluster.become(0, role);
      const appending = appendMany(20, 20);
      await cluster.become(1, 'leader');
      await Promise.all(appending);
      expect(await ids()).toEqual(expectedIds(40));
      await subscription.caughtUp(await adapter.head());
      expect(subscription.events.map(({ id }) => id)).toEqual(expectedIds(40));
      await subscription.stop();
    },
  );

  it('whose leader wrote an append and was deposed before it answered: the append is found at the new leader', async () => {
    await Promise.all(appendMany(0, 1));
    cluster.nodes[0]?.wireNode.misbehave({ kind: 'lose-reply' });
    const appending = appendMany(1, 1);
    await waitUntil(async () => (await ids()).length === 2);
    await cluster.become(0, 'deposed');
    await cluster.become(2, 'leader');
    await Promise.all(appending);
    expect(await ids()).toEqual(expectedIds(2));
  });

  it('whose leader is deposed while nothing is appended here: a subscription sees what others append', async () => {
    const subscription = follow(adapter, { after: BEFORE_FIRST });
    await Promise.all(appendMany(0, 1));
    await cluster.become(0, 'deposed');
    await cluster.become(1, 'leader');
    await waitUntil(() => lines.includes(`the event store is used at 127.0.0.1:${cluster.nodes[1]?.port} from now on`));
    await store.append('s-1', [event(1)], 'no-stream');
    await subscription.caughtUp(await adapter.head());
    expect(subscription.events.map(({ id }) => id)).toEqual(expectedIds(2));
    await subscription.stop();
  });

  it('that is away as a whole: it is said, appends wait, and go on when it is back', async () => {
    await Promise.all(appendMany(0, 1));
    for (const index of [0, 1, 2]) await cluster.become(index, 'away');
    const appending = appendMany(1, 10);
    await waitUntil(() => lines.length > 0);
    expect(lines[0]).toMatch(/^waiting for the event store: 127\.0\.0\.1:\d+: connect ECONNREFUSED/);
    for (const index of [1, 2]) await cluster.become(index, 'follower');
    await cluster.become(0, 'leader');
    await Promise.all(appending);
    expect(await ids()).toEqual(expectedIds(11));
    await waitUntil(() => /^the event store answers again after/.test(lines.at(-1) as string));
    expect(adapter.outages?.()?.count).toBe(1);
    // What lasts for less than a second is not worth a line, and no outage.
    expect(adapter.outages?.()?.awaySeconds).toBeGreaterThan(1);
  });

  it('that is away: what nobody waits for any more is not sent, and what was sent has an unknown outcome', async () => {
    await Promise.all(appendMany(0, 1));
    for (const index of [0, 1, 2]) await cluster.become(index, 'frozen');
    const until = performance.now() + 1000;
    const outcomes = await Promise.allSettled(
      [1, 2, 3].map((number) => adapter.append(`s-${number}`, [event(number)], 'no-stream', { until })),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    for (const outcome of outcomes) expect((outcome as PromiseRejectedResult).reason).toBeInstanceOf(OutcomeUnknown);
    const late = adapter.append('s-4', [event(4)], 'no-stream', { until: performance.now() });
    await expect(late).rejects.toThrow(StoreUnavailable);
    await cluster.become(0, 'leader');
    await Promise.all(appendMany(5, 1));
    expect(await ids()).not.toContain(event(4).id);
  });
});

test('one node that is frozen while nobody asks is named every five seconds, and the outage ends when it answers', async () => {
  const store = await openEmbeddedStore();
  const cluster = await startWireCluster(store, 1);
  const lines: string[] = [];
  const adapter = await openEventStoreDb({
    connectionString: `esdb://127.0.0.1:${cluster.nodes[0]?.port}?tls=false&gossipTimeout=1`,
    log: (line) => lines.push(line),
  });
  await cluster.become(0, 'frozen');
  await waitUntil(() => lines.length === 2);
  expect(lines[1]).toMatch(/^waiting for the event store: 127\.0\.0\.1:\d+: no answer within 1000 ms$/);
  await cluster.become(0, 'leader');
  await waitUntil(() => lines.length === 3);
  expect(lines[2]).toMatch(/^the event store answers again after/);
  const outages = adapter.outages?.();
  expect(outages?.count).toBe(1);
  await adapter.append('s-1', [event(1)], 'no-stream');
  expect(adapter.outages?.()).toEqual(outages);
  await adapter.close();
  await cluster.close();
  await store.close();
});

test('an account that is refused while the program runs is said with its host, and all goes on when it is accepted again', async () => {
  const store = await openEmbeddedStore();
  const first = await startWireNode({ store, writable: true });
  const { port } = first;
  const lines: string[] = [];
  const adapter = await openEventStoreDb({
    connectionString: first.connectionString,
    log: (line) => lines.push(line),
  });
  const subscription = follow(adapter, { after: BEFORE_FIRST });
  await first.close();
  const stricter = await startWireNode({
    store,
    port,
    writable: true,
    account: { user: 'ledger', password: 'secret' },
  });
  await waitUntil(() => lines.some((line) => line.includes('refuses this account')));
  expect(lines.at(-1)).toContain(`waiting for the event store: 127.0.0.1:${port}: it refuses this account: `);
  await expect(adapter.head()).rejects.toThrow(AccessRefused);
  await stricter.close();
  const last = await startWireNode({ store, port, writable: true });
  await waitUntil(() => lines.at(-1)?.startsWith('the event store answers again after') === true);
  await adapter.append('a-1', [event(0)], 'no-stream');
  await subscription.caughtUp(await adapter.head());
  expect(subscription.events).toHaveLength(1);
  await subscription.stop();
  await adapter.close();
  await last.close();
  await store.close();
});
