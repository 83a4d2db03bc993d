import type { EventEmitter } from 'node:events';
import { EventStoreDBClient } from '@eventstore/db-client';
import { Channel, connectivityState } from '@grpc/grpc-js';
import type { Host, ServerAddress } from './connection-string.ts';
import { nameOf } from './election.ts';

type Creator = (client: unknown) => unknown;
type StreamCreator = (service: unknown, name: string, creator: Creator, cache?: unknown) => unknown;

interface Call extends EventEmitter {
  cancel(): void;
  resume(): void;
  write(...message: unknown[]): boolean;
}

/** What the client does inside, as far as it is guarded. */
interface Inside {
  GRPCStreamCreator: StreamCreator;
  createChannel: () => Promise<Channel>;
  handleError: (client: unknown, error: Error) => Promise<void>;
}

type Opening = 'readAll' | 'readStream' | 'subscribeToAll';

/**
 * A client for one node that answered. `broke` is called when its connection breaks. It never looks for nodes by itself: when it does not find one, it rejects a promise
 * that nobody has, which ends the program. Other defects are contained where it makes its calls.
 */
export function guardedClient(node: Host, address: ServerAddress, broke: () => void): EventStoreDBClient {
  const { secure, account, clientSettings } = address;
  const client = new EventStoreDBClient({ ...clientSettings, endpoint: nameOf(node) }, { insecure: !secure }, account);
  const inside = client as unknown as Inside;
  inside.createChannel = async () => hearBreaks(channelTo(node, address), broke);
  const { GRPCStreamCreator: create, handleError: handle } = inside;
  // Nobody waits for it, so it must not be rejected: it stumbles over a `not-leader` that names no leader.
  inside.handleError = (failed, error) => handle(failed, error).catch(() => {});
  inside.GRPCStreamCreator = (service, name, creator, cache) => {
    const guard = name === 'appendToStream' ? guardedAppends : endingWhenCancelled;
    return create(service, name, (grpc) => guard(creator(grpc) as Call), cache);
  };
  for (const opening of ['readAll', 'readStream', 'subscribeToAll'] as const) hearErrors(client, opening);
  return client;
}

const KEEPALIVE_MILLISECONDS = 10_000;
const NEVER_MILLISECONDS = 2 ** 31 - 1;
const LARGEST_MESSAGE_BYTES = 17 * 1024 * 1024;
const LONGEST_RECONNECT_MILLISECONDS = 2000;

/** A connection of its own: the pool of all connections would share it with other clients of the same node. */
function channelTo(node: Host, { channelCredentials, clientSettings }: ServerAddress): Channel {
  const { keepAliveInterval = KEEPALIVE_MILLISECONDS, keepAliveTimeout = KEEPALIVE_MILLISECONDS } = clientSettings;
  return new Channel(nameOf(node), channelCredentials, {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.keepalive_time_ms': keepAliveInterval < 0 ? NEVER_MILLISECONDS : keepAliveInterval,
    'grpc.keepalive_timeout_ms': keepAliveTimeout < 0 ? NEVER_MILLISECONDS : keepAliveTimeout,
    'grpc.max_reconnect_backoff_ms': LONGEST_RECONNECT_MILLISECONDS,
    'grpc.max_receive_message_length': LARGEST_MESSAGE_BYTES,
  });
}

function hearBreaks(channel: Channel, broke: () => void): Channel {
  const watch = () => {
    const before = channel.getConnectivityState(false);
    if (before === connectivityState.SHUTDOWN) return;
    channel.watchConnectivityState(before, Number.POSITIVE_INFINITY, () => {
      if (before === connectivityState.READY) broke();
      watch();
    });
  };
  watch();
  return channel;
}

/**
 * An error that comes before or after somebody reads must not end the program. Who reads gets it all the same. `this` may be an
 * heir of the client that changes its requests: the filter of a read is put in so.
 */
function hearErrors(client: EventStoreDBClient, opening: Opening): void {
  const open = client[opening] as (...parameters: unknown[]) => EventEmitter;
  (client as unknown as Record<Opening, typeof open>)[opening] = function (this: EventStoreDBClient, ...parameters) {
    return open.apply(this, parameters).on('error', () => {});
  };
}

/**
 * All clients of a process keep their appends in one table. When the stream of one client breaks, the appends of all
 * others are rejected too, and a reply to one of them then causes a TypeError in a listener, which ends the process.
 * Here such a reply is ignored. The append that was rejected is looked up by its event ids.
 *
 * While the client waits until it may write more, a broken stream rejects a promise that nobody has. So it never waits:
 * the queue of appends bounds what is under way.
 */
function guardedAppends(call: Call): Call {
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
  const write = call.write.bind(call);
  call.write = (...message) => {
    write(...message);
    return true;
  };
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
