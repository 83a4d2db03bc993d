// A server of EventStoreDB's protocol in its own process: the wire node over a store, or over no store at all.
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import type { EventStore, Position } from '#event-store/port';
import { startWireNode } from '#event-store/wire-node/wire-node';

/** Accepts every append and stores nothing, so that only the cost of the protocol and the client is measured. */
function nothing(): EventStore {
  let events = 0;
  return {
    async append(_stream, appended, expected) {
      events += appended.length;
      const revision = (typeof expected === 'number' ? expected : -1) + appended.length;
      return { revision, position: String(events).padStart(16, '0') as Position };
    },
    async head() {
      return '' as Position;
    },
    async identity() {
      return '00000000-0000-5000-8000-000000000000';
    },
    async *readAll() {},
    async *readStream() {},
  } satisfies Partial<EventStore> as unknown as EventStore;
}

const [mode, directory] = process.argv.slice(2);
const store = mode === 'stub' ? nothing() : await openEmbeddedStore(directory ? { directory } : {});
const node = await startWireNode({ store, writable: true });
process.send?.(node.connectionString);
process.once('disconnect', () => process.exit(0));
