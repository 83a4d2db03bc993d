import { setImmediate as nextTurn } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { customerStream } from '#domain/accounts/customer';
import { decode, type Fact, idOf } from '#domain/codec';
import { type Caller, customerOf } from '#domain/kernel/caller';
import { UnreadableEvent } from '#domain/kernel/unreadable-event';
import { familyOf } from '#domain/ledger';
import { BadEvent, type EventStore, type Position, type RecordedEvent } from '#event-store/port';
import type { QueryTools } from './query-tools.ts';

/** What customers have: changes of these are reported. */
export const changeKinds = ['order', 'programme', 'contacts', 'replacement', 'ticket', 'customer'] as const;
export type ChangeKind = (typeof changeKinds)[number];

interface FollowRequest {
  /** The last position that the follower knows. Absent: the present end of the log. */
  readonly after?: Position | undefined;
  readonly kind?: ChangeKind | undefined;
  readonly storeId?: string | undefined;
  readonly customerId?: string | undefined;
  /** Ends the changes. */
  readonly signal: AbortSignal;
}

export type ChangeMessage = { readonly position: Position } & (
  | { readonly kind: 'change'; readonly change: ReturnType<typeof changeOf> }
  /** This version cannot read the event, for example because a newer one wrote it. */
  | { readonly kind: 'unreadable'; readonly stream: string; readonly type: string }
  /** There was nothing to report up to this position. */
  | { readonly kind: 'passed' }
);

/** Changes as they happen: names of events and of their subjects. */
export function changeQueries({ events }: QueryTools) {
  const owners = new Owners(events);
  return {
    /**
     * What changes after a position, without end, of what the caller may see.
     * @returns undefined for a position that this log does not have, for example after it was restored from a shorter copy
     */
    async follow(caller: Caller, request: FollowRequest) {
      const after = await startOf(events, request.after);
      return after === undefined
        ? undefined
        : { after, changes: changesAfter(after, caller, request, { events, owners }) };
    },
  };
}

async function startOf(events: EventStore, after: Position | undefined): Promise<Position | undefined> {
  const head = await events.head();
  if (after === undefined) return head;
  return after <= head && (await canReadAfter(events, after)) ? after : undefined;
}

/** A position of one store may not exist in another. */
async function canReadAfter(events: EventStore, position: Position): Promise<boolean> {
  try {
    for await (const _ of events.readAll({ after: position, maxCount: 1 })) break;
    return true;
  } catch (error) {
    if (error instanceof BadEvent) return false;
    throw error;
  }
}

async function* changesAfter(
  after: Position,
  caller: Caller,
  request: FollowRequest,
  { events, owners }: { events: EventStore; owners: Owners },
): AsyncGenerator<ChangeMessage> {
  const { kind, signal } = request;
  const streamPrefixes = (kind ? [kind] : changeKinds).map((prefix) => `${prefix}-`);
  for await (const message of events.subscribe({ after, filter: { streamPrefixes }, signal })) {
    if (message.kind === 'event') yield await reportOf(message.event, caller, request, owners);
    else {
      yield { kind: 'passed', position: message.position };
      // A long part of the log may be passed without a report. Other requests are served in the meantime.
      await nextTurn();
    }
  }
}

/** The owner of an unreadable event is unknown, so only callers who see everything get it. */
async function reportOf(
  event: RecordedEvent,
  caller: Caller,
  request: FollowRequest,
  owners: Owners,
): Promise<ChangeMessage> {
  const { position, stream, type } = event;
  try {
    const fact = decode(event);
    const owner = await owners.of(fact);
    const reported = !stepsTowardsADelivery.has(type) && maySee(caller, owner) && matches(request, owner);
    return reported ? { kind: 'change', position, change: changeOf(fact, owner) } : { kind: 'passed', position };
  } catch (error) {
    if (!(error instanceof UnreadableEvent)) throw error;
    return seesEverything(caller) ? { kind: 'unreadable', position, stream, type } : { kind: 'passed', position };
  }
}

/** A delivery is reported when the order has recorded it: until then the lead may still go to another customer. */
const stepsTowardsADelivery: ReadonlySet<string> = new Set(['ContactAdded', 'ContactRemoved']);

/** The owner of a stream. It never changes. */
interface Owner {
  readonly customerId: string;
  readonly storeId: string;
}

const seesEverything = (caller: Caller): boolean => customerOf(caller) === undefined && caller.stores === 'all';

function maySee(caller: Caller, { customerId, storeId }: Owner): boolean {
  const asking = customerOf(caller);
  if (asking !== undefined) return asking === customerId;
  return caller.stores === 'all' || caller.stores.includes(storeId);
}

const matches = ({ storeId, customerId }: FollowRequest, owner: Owner): boolean =>
  (storeId ?? owner.storeId) === owner.storeId && (customerId ?? owner.customerId) === owner.customerId;

function changeOf({ type, stream, data }: Fact, { customerId, storeId }: Owner) {
  const leadId = 'leadId' in data ? data.leadId : undefined;
  return {
    type,
    at: data.at,
    kind: familyOf(stream),
    id: idOf(stream),
    ...(leadId && { leadId }),
    customerId,
    storeId,
  };
}

const MOST_OWNERS = 10_000;

/** Owners of streams, by their first events. */
class Owners {
  readonly #events: EventStore;
  readonly #known = new LRUCache<string, Owner>({ max: MOST_OWNERS });

  constructor(events: EventStore) {
    this.#events = events;
  }

  /** @throws UnreadableEvent */
  async of(fact: Fact): Promise<Owner> {
    const { stream } = fact;
    const owner = this.#known.get(stream) ?? (await this.#read(fact));
    this.#known.set(stream, owner);
    return owner;
  }

  async #read(fact: Fact): Promise<Owner> {
    const { stream } = fact;
    const first = familyOf(stream) === 'contacts' ? customerStream(idOf(stream)) : stream;
    for await (const event of this.#events.readStream(first, { maxCount: 1 })) {
      // The first event of a customer does not name the customer: the stream does.
      const { customerId = idOf(stream), storeId } = decode(event).data as Partial<Owner> & Pick<Owner, 'storeId'>;
      return { customerId, storeId };
    }
    throw new UnreadableEvent(fact, new Error(`${first} has no first event`));
  }
}
