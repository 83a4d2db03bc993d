import { LRUCache } from 'lru-cache';
import { customerStream } from '#domain/accounts/customer';
import { decode, idOf } from '#domain/codec';
import type { Owner } from '#domain/kernel/caller';
import { familyOf } from '#domain/ledger';
import type { EventStore } from '#event-store/port';

type OwnedFamily = 'customer' | 'contacts' | 'checkout' | 'order' | 'programme' | 'replacement' | 'ticket';

/** A stream of a customer. Its owner never changes. */
export type OwnedStream = `${OwnedFamily}-${string}`;
export type StreamOwner = Required<Owner>;

/** Looks up the owner of a stream; undefined when the stream does not exist. It may throw UnreadableEvent. */
export type OwnerOf = (stream: OwnedStream) => Promise<StreamOwner | undefined>;

const MOST_OWNERS = 10_000;

/** The first event of each stream names its owner. */
export function ownersIn(events: Pick<EventStore, 'readStream'>): OwnerOf {
  const known = new LRUCache<string, StreamOwner>({ max: MOST_OWNERS });
  return async (stream) => {
    const owner = known.get(stream) ?? (await readOwner(events, stream));
    if (owner) known.set(stream, owner);
    return owner;
  };
}

async function readOwner(
  events: Pick<EventStore, 'readStream'>,
  stream: OwnedStream,
): Promise<StreamOwner | undefined> {
  // A contact book does not name the store of its customer: the account does.
  const named = familyOf(stream) === 'contacts' ? customerStream(idOf(stream)) : stream;
  for await (const event of events.readStream(named, { maxCount: 1 })) {
    // An account does not name its customer: its stream does.
    const { customerId = idOf(named), storeId } = decode(event).data as Partial<Owner> & Pick<StreamOwner, 'storeId'>;
    return { customerId, storeId };
  }
  return undefined;
}
