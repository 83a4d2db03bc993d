import { openEmbeddedStore } from '../embedded/embedded-store.ts';
import { openEventStoreDb } from '../eventstoredb/eventstoredb-store.ts';
import { startWireNode } from '../wire-node/wire-node.ts';
import { describeEventStore } from './event-store-contract.ts';

describeEventStore('the EventStoreDB adapter over the wire node', async () => {
  const embedded = await openEmbeddedStore();
  const node = await startWireNode({ store: embedded, writable: true });
  const store = await openEventStoreDb({ connectionString: node.connectionString });
  return {
    store,
    async dispose() {
      await store.close();
      await node.close();
      await embedded.close();
    },
  };
});
