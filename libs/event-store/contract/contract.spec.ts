import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedStore } from '../embedded/embedded-store.ts';
import { openEventStoreDb } from '../eventstoredb/eventstoredb-store.ts';
import { ownEventsOf } from '../own-events.ts';
import { readsInTurn } from '../reads-in-turn.ts';
import { startWireNode } from '../wire-node/wire-node.ts';
import { describeEventStore } from './event-store-contract.ts';
import { scopedStore } from './scoped-store.ts';
import { isNotOfOthers, sharedLog } from './shared-log.ts';

describeEventStore('the embedded store in memory', async () => {
  const store = await openEmbeddedStore();
  return { store, dispose: () => store.close() };
});

describeEventStore('the embedded store on disk', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'leadger-contract-'));
  const store = await openEmbeddedStore({ directory });
  return {
    store,
    async dispose() {
      await store.close();
      rmSync(directory, { recursive: true });
    },
  };
});

const aServer = { usedIds: 'written' } as const;

async function overTheWireNode() {
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
}
describeEventStore('the EventStoreDB adapter over the wire node', overTheWireNode, aServer);

describeEventStore('the events of our own in a log that others write to, too', async () => {
  const store = ownEventsOf(sharedLog(await openEmbeddedStore()), { wrote: ({ stream }) => isNotOfOthers(stream) });
  return { store, dispose: () => store.close() };
});

describeEventStore('a store that is read in turn', async () => {
  const store = readsInTurn(await openEmbeddedStore());
  return { store, dispose: () => store.close() };
});

const url = process.env.EVENTSTORE_URL;
if (url) {
  const onTheServer = async () => {
    const store = await scopedStore(await openEventStoreDb({ connectionString: url }), `contract-${randomUUID()}`);
    return { store, dispose: () => store.close() };
  };
  describeEventStore(`the EventStoreDB adapter on ${url}`, onTheServer, aServer);
} else test.skip('the contract on a server: name one in EVENTSTORE_URL', () => {});
