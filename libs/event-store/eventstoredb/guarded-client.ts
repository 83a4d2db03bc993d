import type { EventEmitter } from 'node:events';
import { EventStoreDBClient } from '@eventstore/db-client';

type Creator = (client: unknown) => unknown;
type StreamCreator = (service: unknown, name: string, creator: Creator, cache?: unknown) => unknown;

interface Call extends EventEmitter {
  cancel(): void;
  resume(): void;
}

/** The client, with two of its defects contained where its calls are made. */
export function guardedClient(connectionString: string): EventStoreDBClient {
  const client = EventStoreDBClient.connectionString(connectionString);
  const inner = client as unknown as { GRPCStreamCreator: StreamCreator };
  const create = inner.GRPCStreamCreator;
  inner.GRPCStreamCreator = (service, name, creator, cache) => {
    const guard = name === 'appendToStream' ? survivingLateReplies : endingWhenCancelled;
    return create(service, name, (grpc) => guard(creator(grpc) as Call), cache);
  };
  return client;
}

/**
 * All clients of a process keep their appends in one table: when the stream of one breaks, those of all others are
 * rejected, and the reply that then comes to one of them is a TypeError in a listener, which ends the process. Here
 * such a reply is ignored; the append that was rejected meanwhile is looked up by its event ids.
 */
function survivingLateReplies(call: Call): Call {
  const listeners = call.listeners('data');
  call.removeAllListeners('data');
  call.on('data', (reply) => {
    for (const listener of listeners) {
      try {
        listener.call(call, reply);
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
      }
    }
  });
  return call;
}

/** A call ends when all that it brought was read, and nobody reads one that was left: it would stay open for ever. */
function endingWhenCancelled(call: Call): Call {
  const cancel = call.cancel.bind(call);
  call.cancel = () => {
    cancel();
    call.resume();
  };
  return call;
}
