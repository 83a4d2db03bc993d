import type { EventEmitter } from 'node:events';
import type { EventStoreDBClient } from '@eventstore/db-client';

type Creator = (client: unknown) => unknown;
type StreamCreator = (service: unknown, name: string, creator: Creator, cache?: unknown) => unknown;

/**
 * All clients of a process keep their appends in one table: when the stream of one breaks, those of all others are
 * rejected, and the reply that then comes to one of them is a TypeError in a listener, which ends the process. Here
 * such a reply is ignored; the append that was rejected meanwhile is looked up by its event ids.
 */
export function surviveLateReplies(client: EventStoreDBClient): void {
  const inner = client as unknown as { GRPCStreamCreator: StreamCreator };
  const create = inner.GRPCStreamCreator;
  inner.GRPCStreamCreator = (service, name, creator, cache) => {
    if (name !== 'appendToStream') return create(service, name, creator, cache);
    return create(service, name, (grpc) => guarded(creator(grpc) as EventEmitter), cache);
  };
}

function guarded(stream: EventEmitter): EventEmitter {
  const listeners = stream.listeners('data');
  stream.removeAllListeners('data');
  stream.on('data', (reply) => {
    for (const listener of listeners) {
      try {
        listener.call(stream, reply);
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
      }
    }
  });
  return stream;
}
