import { setImmediate as nextTurn } from 'node:timers/promises';
import { decode, type Fact, idOf } from '#domain/codec';
import { covers, type Scope, scopeOf } from '#domain/kernel/caller';
import { UnreadableEvent } from '#domain/kernel/unreadable-event';
import { familyOf } from '#domain/ledger';
import { BEFORE_FIRST, type EventStore, type Position, type RecordedEvent } from '#event-store/port';
import type { OwnedStream, OwnerOf, StreamOwner } from './owners.ts';
import type { QueryDependencies, QueryTools } from './query-tools.ts';
import type { RequestContext } from './request-tools.ts';

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
export const changeQueries = ({ events, ownerOf }: ChangeSource) => ({
  /**
   * What changes after a position, without end, of what the caller may see.
   * @returns undefined for a position that this log does not have, for example after it was restored from a shorter copy
   */
  async follow({ caller }: RequestContext, request: FollowRequest) {
    const after = await startOf(events, request.after);
    if (after === undefined) return undefined;
    return { after, changes: changesAfter(after, scopeOf(caller), request, { events, ownerOf }) };
  },
});

type ChangeSource = Pick<QueryDependencies, 'events'> & Pick<QueryTools, 'ownerOf'>;

async function startOf(events: EventStore, after: Position | undefined): Promise<Position | undefined> {
  if (after === undefined) return events.head();
  if (after === BEFORE_FIRST) return after;
  return (await events.placeAt(after)).kind === 'none' ? undefined : after;
}

async function* changesAfter(
  after: Position,
  scope: Scope,
  request: FollowRequest,
  { events, ownerOf }: ChangeSource,
): AsyncGenerator<ChangeMessage> {
  const { kind, signal } = request;
  const streamPrefixes = (kind ? [kind] : changeKinds).map((prefix) => `${prefix}-`);
  for await (const message of events.subscribe({ after, filter: { streamPrefixes }, signal })) {
    if (message.kind === 'event') yield await reportOf(message.event, scope, request, ownerOf);
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
  scope: Scope,
  request: FollowRequest,
  ownerOf: OwnerOf,
): Promise<ChangeMessage> {
  const { position, stream, type } = event;
  try {
    const fact = decode(event);
    const owner = await ownerOf(stream as OwnedStream);
    if (!owner) throw new UnreadableEvent(fact, new Error('its stream has no owner'));
    const reported = !stepsTowardsADelivery.has(type) && covers(scope, owner) && matches(request, owner);
    return reported ? { kind: 'change', position, change: changeOf(fact, owner) } : { kind: 'passed', position };
  } catch (error) {
    if (!(error instanceof UnreadableEvent)) throw error;
    return scope === 'all' ? { kind: 'unreadable', position, stream, type } : { kind: 'passed', position };
  }
}

/** A delivery is reported when the order has recorded it: until then the lead may still go to another customer. */
const stepsTowardsADelivery: ReadonlySet<string> = new Set(['ContactAdded', 'ContactRemoved']);

const matches = ({ storeId, customerId }: FollowRequest, owner: StreamOwner): boolean =>
  (storeId ?? owner.storeId) === owner.storeId && (customerId ?? owner.customerId) === owner.customerId;

function changeOf({ type, stream, data }: Fact, { customerId, storeId }: StreamOwner) {
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
