import { LRUCache } from 'lru-cache';
import { customerStream } from '#domain/accounts/customer';
import { decode, idOf } from '#domain/codec';
import type { Owner } from '#domain/kernel/caller';
import { familyOf } from '#domain/ledger';
import type { EventStore } from '#event-store/port';

/** Looks up who a stream belongs to. An owner never changes. */
export type OwnerOf = (stream: string) => Promise<Required<Owner> | undefined>;

const MOST_OWNERS = 10_000;

/**
 * The owner is in the first event of a stream. The lookup gives undefined for a stream that does not exist, or that
 * belongs to no customer. It throws UnreadableEvent.
 */
export function ownersIn(events: Pick<EventStore, 'readStream'>): OwnerOf {
  const known = new LRUCache<string, Required<Owner>>({ max: MOST_OWNERS });
  return async (stream) => {
    const owner = known.get(stream) ?? (await readOwner(events, stream));
    if (owner) known.set(stream, owner);
    return owner;
  };
}

async function readOwner(events: Pick<EventStore, 'readStream'>, stream: string): Promise<Required<Owner> | undefined> {
  const family = familyOf(stream);
  // Only the account of the customer names the store of a contact book.
  const first = family === 'contacts' ? customerStream(idOf(stream)) : stream;
  for await (const event of events.readStream(first, { maxCount: 1 })) {
    const data = decode(event).data as Partial<Owner>;
    const customerId = first === stream && family !== 'customer' ? data.customerId : idOf(stream);
    return customerId === undefined || data.storeId === undefined ? undefined : { customerId, storeId: data.storeId };
  }
  return undefined;
}
