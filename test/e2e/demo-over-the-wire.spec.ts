import { runDemo } from '#apps/cli/demo';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import { startWireNode } from '#event-store/wire-node/wire-node';

const DROPS = 20;
const MILLISECONDS_BETWEEN_DROPS = 120;

test('the demo on an EventStoreDB whose connections keep breaking makes the same history as on one machine', async () => {
  const demo = { days: 3, seed: 7 };
  const undisturbed = await runDemo(demo);
  const store = await openEmbeddedStore();
  const node = await startWireNode({ store, writable: true });
  let drops = 0;
  const dropping = setInterval(() => {
    node.dropConnections();
    drops += 1;
    if (drops === DROPS) clearInterval(dropping);
  }, MILLISECONDS_BETWEEN_DROPS);
  try {
    const disturbed = await runDemo({ ...demo, eventStoreDb: node.connectionString });
    expect(disturbed.logDigest).toBe(undisturbed.logDigest);
    expect(disturbed).toMatchObject({ events: undisturbed.events, laws: undisturbed.laws });
    expect(drops).toBe(DROPS);
  } finally {
    clearInterval(dropping);
    await node.close();
    await store.close();
  }
});
