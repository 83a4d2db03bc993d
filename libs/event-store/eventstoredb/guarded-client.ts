import type { EventEmitter } from 'node:events';
import { EventStoreDBClient } from '@eventstore/db-client';

type Creator = (client: unknown) => unknown;
type StreamCreator = (service: unknown, name: string, creator: Creator, cache?: unknown) => unknown;

interface Call extends EventEmitter {
  cancel(): void;
  resume(): void;
}

/** The client, with workarounds for two of its defects where it makes its calls. */
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
 * All clients of a process keep their appends in one table. When the stream of one client breaks, the appends of all
 * others are rejected too, and a reply to one of them then causes a TypeError in a listener, which ends the process.
 * Here such a reply is ignored. The append that was rejected is looked up by its event ids.
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

/** A call ends when everything it received was read. A cancelled call is not read any more, so it would stay open for ever. */
function endingWhenCancelled(call: Call): Call {
  const cancel = call.cancel.bind(call);
  call.cancel = () => {
    cancel();
    call.resume();
  };
  return call;
}
