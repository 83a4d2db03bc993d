import { EventStoreDBClient, FOLLOWER, jsonEvent } from '@eventstore/db-client';
import { GossipClient } from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import type { ClusterInfo } from '@eventstore/db-client/generated/gossip_pb.js';
import { Empty } from '@eventstore/db-client/generated/shared_pb.js';
import { credentials } from '@grpc/grpc-js';
import { openEmbeddedStore } from '../embedded/embedded-store.ts';
import type { EventStore } from '../port.ts';
import { startWireCluster, type WireCluster } from './wire-cluster.ts';

const written = () => jsonEvent({ type: 'Written', data: { by: 'a client' } });
const SHORTLY_MILLISECONDS = 300;

describe('a cluster of wire nodes', () => {
  let store: EventStore;
  let cluster: WireCluster;
  const clients: EventStoreDBClient[] = [];

  beforeEach(async () => {
    store = await openEmbeddedStore();
    cluster = await startWireCluster(store, 3);
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.dispose();
    await cluster.close();
    await store.close();
  });

  const connect = (connectionString: string): EventStoreDBClient => {
    const client = EventStoreDBClient.connectionString(connectionString);
    clients.push(client);
    return client;
  };
  const toNode = (index: number) => connect(cluster.nodes[index]?.connectionString as string);
  /** Every append has a client of its own: clients of one process share their pending appends. */
  const append = (client: EventStoreDBClient, stream = 'a-1', requiresLeader = false) =>
    client.appendToStream(stream, written(), { requiresLeader });
  const failureOf = (request: Promise<unknown>): Promise<unknown> =>
    request.then(
      () => undefined,
      (error: { type?: string }) => error.type,
    );
  const shortly = async (request: Promise<unknown>): Promise<unknown> => {
    const late = new Promise((resolve) => setTimeout(resolve, SHORTLY_MILLISECONDS, 'no answer'));
    return Promise.race([request, late]);
  };
  const revisionsAt = async (index: number) => {
    const revisions: number[] = [];
    for await (const { event } of toNode(index).readStream('a-1')) revisions.push(Number(event?.revision));
    return revisions;
  };

  it('leads a client that knows all hosts to the leader', async () => {
    const client = connect(cluster.connectionString);
    expect(await append(client, 'a-1', true)).toMatchObject({ success: true });
    expect(await revisionsAt(2)).toEqual([0]);
    await cluster.become(1, 'leader');
    const later = connect(cluster.connectionString);
    expect(await append(later, 'a-1', true)).toMatchObject({ success: true });
  });

  it('leads a client that prefers a follower to one', async () => {
    const client = connect(`${cluster.connectionString}&nodePreference=${FOLLOWER}`);
    expect(await failureOf(append(client, 'a-1', true))).toBe('not-leader');
  });

  it('has followers that name the leader, or forward to it', async () => {
    const refused = await append(toNode(1), 'a-1', true).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      type: 'not-leader',
      leader: { address: '127.0.0.1', port: cluster.nodes[0]?.port },
    });
    expect(await append(toNode(2))).toMatchObject({ success: true });
    await cluster.become(0, 'away');
    expect(await failureOf(append(toNode(2)))).toBe('unavailable');
  });

  it('has a deposed leader that answers reads, and never an append', async () => {
    await append(toNode(0));
    await cluster.become(0, 'deposed');
    await cluster.become(1, 'leader');
    expect(await shortly(append(toNode(0)))).toBe('no answer');
    expect(await revisionsAt(0)).toEqual([0]);
    expect(await append(toNode(1))).toMatchObject({ success: true });
  });

  it('has a frozen node that takes connections and answers nothing until it goes on', async () => {
    await cluster.become(0, 'frozen');
    const pending = append(toNode(0));
    expect(await shortly(pending)).toBe('no answer');
    await cluster.become(0, 'leader');
    expect(await pending).toMatchObject({ success: true });
  });

  it('has a node that is away, and comes back at the same port', async () => {
    const port = cluster.nodes[0]?.port;
    await cluster.become(0, 'away');
    expect(await append(toNode(0)).catch((error: unknown) => error)).toMatchObject({ code: 14 });
    await cluster.become(0, 'leader');
    expect(cluster.nodes[0]?.port).toBe(port);
    expect(await append(toNode(0))).toMatchObject({ success: true });
  });

  it.each([
    [
      'leader',
      'all alive',
      [
        ['leader', true],
        ['follower', true],
        ['follower', true],
      ],
    ],
    [
      'deposed',
      'until the others have a leader',
      [
        ['leader', true],
        ['follower', false],
        ['follower', false],
      ],
    ],
  ] as const)('has a node 0 (%s, %s) that says of the nodes %j', async (role, _, expected) => {
    await cluster.become(0, role);
    expect(await gossipOf(cluster, 0)).toEqual(expected);
  });

  it('has nodes that call the deposed leader dead, and the new one leader', async () => {
    await cluster.become(0, 'deposed');
    await cluster.become(2, 'leader');
    expect(await gossipOf(cluster, 1)).toEqual([
      ['leader', false],
      ['follower', true],
      ['leader', true],
    ]);
    expect(await gossipOf(cluster, 0)).toEqual([
      ['unknown', true],
      ['follower', false],
      ['leader', false],
    ]);
  });
});

/** What a node answers to a client that asks for the nodes: the state of each, and whether it is alive. */
async function gossipOf(cluster: WireCluster, index: number): Promise<unknown> {
  const client = new GossipClient(`127.0.0.1:${cluster.nodes[index]?.port}`, credentials.createInsecure());
  try {
    const info = await new Promise<ClusterInfo>((resolve, reject) =>
      client.read(new Empty(), (error, answer) => (error ? reject(error) : resolve(answer))),
    );
    const names = { 2: 'unknown', 6: 'follower', 8: 'leader' } as Record<number, string>;
    return info.getMembersList().map((member) => [names[member.getState()], member.getIsAlive()]);
  } finally {
    client.close();
  }
}
