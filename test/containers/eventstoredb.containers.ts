import { randomUUID } from 'node:crypto';
import { GenericContainer, Network, type StartedNetwork, type StartedTestContainer, Wait } from 'testcontainers';
import { runDemo } from '#apps/cli/demo';
import { deriveId } from '#domain/kernel/ids';
import { describeEventStore } from '#event-store/contract/event-store-contract';
import { scopedStore } from '#event-store/contract/scoped-store';
import { openEventStoreDb } from '#event-store/eventstoredb/eventstoredb-store';
import { describeWithDocker, EVENTSTOREDB, START_MILLISECONDS } from './docker.ts';

const HTTP = 2113;
const healthy = Wait.forHttp('/health/live', HTTP).forStatusCode(204);
const common = {
  EVENTSTORE_INSECURE: 'true',
  EVENTSTORE_MEM_DB: 'true',
  EVENTSTORE_RUN_PROJECTIONS: 'None',
};

describeWithDocker('one EventStoreDB node', () => {
  let node: StartedTestContainer;
  let connectionString: string;
  beforeAll(async () => {
    node = await new GenericContainer(EVENTSTOREDB)
      .withEnvironment(common)
      .withExposedPorts(HTTP)
      .withWaitStrategy(healthy)
      .start();
    connectionString = `esdb://${node.getHost()}:${node.getMappedPort(HTTP)}?tls=false`;
  }, START_MILLISECONDS);
  afterAll(() => node.stop());

  const aRealNode = async () => {
    const store = await scopedStore(await openEventStoreDb({ connectionString }), `contract-${randomUUID()}`);
    return { store, dispose: () => store.close() };
  };
  describeEventStore('the EventStoreDB adapter on a real node', aRealNode, { usedIds: 'written' });

  test(
    'the demo lives through the same as on one machine',
    async () => {
      const demo = { days: 3, seed: 7, until: '2026-05-01T00:00:00.000Z' };
      const fresh = await new GenericContainer(EVENTSTOREDB)
        .withEnvironment(common)
        .withExposedPorts(HTTP)
        .withWaitStrategy(healthy)
        .start();
      try {
        const eventStoreDb = `esdb://${fresh.getHost()}:${fresh.getMappedPort(HTTP)}?tls=false`;
        const there = await runDemo({ ...demo, eventStoreDb });
        const { events, laws, decisions } = await runDemo(demo);
        // Ids are made from positions, and a server has others: the digests differ.
        expect(there).toMatchObject({ events, laws, decisions });
      } finally {
        await fresh.stop();
      }
    },
    START_MILLISECONDS,
  );
});

describeWithDocker('a cluster of three EventStoreDB nodes', () => {
  const PORTS = [21_131, 21_132, 21_133] as const;
  let network: StartedNetwork;
  let nodes: StartedTestContainer[];
  const connectionString = `esdb://${PORTS.map((port) => `127.0.0.1:${port}`).join(',')}?tls=false`;
  beforeAll(async () => {
    network = await new Network().start();
    nodes = await Promise.all(
      PORTS.map((port, index) =>
        new GenericContainer(EVENTSTOREDB)
          .withEnvironment({
            ...common,
            EVENTSTORE_CLUSTER_SIZE: '3',
            EVENTSTORE_DISCOVER_VIA_DNS: 'false',
            EVENTSTORE_NODE_IP: '0.0.0.0',
            EVENTSTORE_REPLICATION_IP: '0.0.0.0',
            EVENTSTORE_NODE_HOST_ADVERTISE_AS: `node${index}`,
            EVENTSTORE_REPLICATION_HOST_ADVERTISE_AS: `node${index}`,
            EVENTSTORE_ADVERTISE_HOST_TO_CLIENT_AS: '127.0.0.1',
            EVENTSTORE_ADVERTISE_NODE_PORT_TO_CLIENT_AS: String(port),
            EVENTSTORE_GOSSIP_SEED: PORTS.flatMap((_, other) => (other === index ? [] : [`node${other}:${HTTP}`])).join(
              ',',
            ),
          })
          .withNetwork(network)
          .withNetworkAliases(`node${index}`)
          .withExposedPorts({ container: HTTP, host: port })
          .withWaitStrategy(healthy)
          .start(),
      ),
    );
  }, START_MILLISECONDS);
  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    await network.stop();
  });

  /** The node that reports itself as leader. */
  async function leader(): Promise<number> {
    for (;;) {
      for (const [index, port] of PORTS.entries()) {
        const response = await fetch(`http://127.0.0.1:${port}/info`).catch(() => undefined);
        const info = (await response?.json().catch(() => undefined)) as { state?: string } | undefined;
        if (info?.state?.toLowerCase() === 'leader') return index;
      }
    }
  }

  test(
    'loses no acknowledged append when its leader is killed, and continues with another leader',
    async () => {
      const store = await openEventStoreDb({ connectionString, patienceMilliseconds: 120_000 });
      const stream = `leader-loss-${randomUUID()}`;
      const TOGETHER = 200;
      try {
        for (let revision = 0; revision < TOGETHER; revision += 1) {
          if (revision === TOGETHER / 2) await nodes[await leader()]?.stop();
          const event = {
            id: deriveId(stream, String(revision)),
            type: 'Counted',
            data: Buffer.from('{}'),
            metadata: Buffer.from('{}'),
          };
          await store.append(stream, [event], revision === 0 ? 'no-stream' : revision - 1);
        }
        const ids: string[] = [];
        for await (const { id } of store.readStream(stream)) ids.push(id);
        expect(ids).toEqual(Array.from({ length: TOGETHER }, (_, revision) => deriveId(stream, String(revision))));
      } finally {
        await store.close();
      }
    },
    START_MILLISECONDS,
  );
});
