import { decode, type Fact, idOf } from '#domain/codec';
import { covers, type Scope } from '#domain/kernel/caller';
import { UnreadableEvent } from '#domain/kernel/unreadable-event';
import { familyOf } from '#domain/ledger';
import type { Position, RecordedEvent } from '#event-store/port';
import type { Owners, StreamOwner } from '../owners.ts';
import { takingTurns } from '../turns.ts';

/** What customers have: changes of these are reported. */
export const changeKinds = ['order', 'programme', 'contacts', 'replacement', 'ticket', 'customer'] as const;
export type ChangeKind = (typeof changeKinds)[number];

/** The events of which feeds report, for all feeds alike. */
export const reportedEvents = { streamPrefixes: changeKinds.map((kind) => `${kind}-`) };

export type ChangeMessage = { readonly position: Position } & (
  | { readonly kind: 'change'; readonly change: Change }
  /** This version cannot read the event, for example because a newer one wrote it. */
  | { readonly kind: 'unreadable'; readonly stream: string; readonly type: string }
);
type Change = ReturnType<typeof changeOf>;

/** What one feed is about: what its caller may see, and wants to see. */
export interface Interest {
  readonly scope: Scope;
  readonly kind?: ChangeKind | undefined;
  readonly storeId?: string | undefined;
  readonly customerId?: string | undefined;
}

/** The owner of an unreadable event is unknown, so only callers who see everything get it. */
export function concerns({ scope, kind, storeId, customerId }: Interest, message: ChangeMessage): boolean {
  if (message.kind === 'unreadable')
    return scope === 'all' && (kind === undefined || message.stream.startsWith(`${kind}-`));
  const { change } = message;
  return (
    (kind ?? change.kind) === change.kind &&
    (storeId ?? change.storeId) === change.storeId &&
    (customerId ?? change.customerId) === change.customerId &&
    covers(scope, change)
  );
}

/** What is reported of some events, in their order. Each is read once, for all feeds. */
export async function messagesOf(events: readonly RecordedEvent[], owners: Owners): Promise<ChangeMessage[]> {
  const pause = takingTurns();
  const facts: (Fact | undefined)[] = [];
  for (const event of events) {
    facts.push(factIn(event));
    await pause();
  }
  const ownersByStream = await owners.ofFacts(facts.filter((fact) => fact !== undefined));
  return events.flatMap((event, index) => messageOf(event, facts[index], ownersByStream.get(event.stream)));
}

function factIn(event: RecordedEvent): Fact | undefined {
  try {
    return decode(event);
  } catch (error) {
    if (error instanceof UnreadableEvent) return undefined;
    throw error;
  }
}

/** A delivery is reported when the order has recorded it: until then the lead may still go to another customer. */
const stepsTowardsADelivery: ReadonlySet<string> = new Set(['ContactAdded', 'ContactRemoved']);

function messageOf(
  { position, stream, type }: RecordedEvent,
  fact: Fact | undefined,
  owner: StreamOwner | undefined,
): ChangeMessage[] {
  if (!fact || !owner) return [{ kind: 'unreadable', position, stream, type }];
  return stepsTowardsADelivery.has(type) ? [] : [{ kind: 'change', position, change: changeOf(fact, owner) }];
}

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
