import { runDemo } from '#apps/cli/demo';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import { BEFORE_FIRST } from '#event-store/port';
import { SERVER_MANNERS } from '#event-store/wire-node/manners';
import { startWireNode } from '#event-store/wire-node/wire-node';

const DROPS = 20;

test('the demo on an EventStoreDB whose connections keep breaking produces the same history as on one machine', async () => {
  const demo = { days: 3, seed: 7, until: '2026-05-01T00:00:00.000Z' };
  const undisturbed = await runDemo(demo);
  const store = await openEmbeddedStore();
  // Decisions name the positions that they were made on: the history is the same only where the positions are.
  const node = await startWireNode({ store, writable: true, manners: { ...SERVER_MANNERS, positionStep: 1 } });
  // Spread over the whole history, at any speed of the machine.
  const eventsBetweenDrops = Math.floor(undisturbed.events / (DROPS + 1));
  let drops = 0;
  const over = new AbortController();
  const dropping = (async () => {
    let events = 0;
    for await (const { kind } of store.subscribe({ after: BEFORE_FIRST, signal: over.signal })) {
      if (kind !== 'event') continue;
      events += 1;
      if (drops === DROPS || events < (drops + 1) * eventsBetweenDrops) continue;
      node.dropConnections();
      drops += 1;
    }
  })();
  try {
    const disturbed = await runDemo({ ...demo, eventStoreDb: node.connectionString });
    expect(disturbed.logDigest).toBe(undisturbed.logDigest);
    expect(disturbed).toMatchObject({ events: undisturbed.events, laws: undisturbed.laws });
    expect(drops).toBe(DROPS);
  } finally {
    over.abort();
    await dropping.catch(() => {});
    await node.close();
    await store.close();
  }
});
