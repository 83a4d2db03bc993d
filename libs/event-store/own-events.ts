import type { NotedForeignStreams } from './foreign-streams.ts';
import { passedOn } from './passed-on.ts';
import type {
  EventFilter,
  EventStore,
  ReadAllOptions,
  RecordedEvent,
  SubscribeOptions,
  SubscriptionMessage,
} from './port.ts';
import { checkCount } from './read-checks.ts';

/** Which events of a log are ours. */
export interface Ours {
  /** Whether an event is ours, in a stream that is named like ours. */
  readonly wrote: (event: RecordedEvent) => boolean;
  /** How the names of the streams begin that may have events of these types. Undefined: anyhow. */
  readonly prefixesOf?: (types: readonly string[]) => readonly string[];
  /** Notes events of others in streams that are named like ours. */
  readonly foreign?: NotedForeignStreams;
}

/**
 * The part of a log that is ours. A server's log may hold events of other programs, and the server's own. None of them is
 * read, whatever their types and streams are called. So the events that are left have the same order, and the same number of
 * events before each, in every copy of the log. The identity is an event of ours: others come and go.
 */
export function ownEventsOf(store: EventStore, ours: Ours): EventStore {
  let identity: string | undefined;
  return {
    ...passedOn(store),
    append: (stream, events, expected, patience) => store.append(stream, events, expected, patience),
    readStream: (stream, options) => readLooking(store, ours, stream, options),
    readAll: (options) => readOwn(store, ours, options),
    subscribe: (options) => subscribeToOwn(store, ours, options),
    head: (patience) => store.head(patience),
    placeAt: (position) => store.placeAt(position),
    async identity() {
      // While nothing of ours is in the log, it is the one of the store, until that is opened again.
      identity ??= (await firstOf(store, ours))?.id ?? (await store.identity());
      return identity;
    },
    foreignStreams: ours.foreign,
    limits: store.limits,
    close: () => store.close(),
  };
}

/** A stream that is read by its name is read as it is, also where others wrote to it. */
async function* readLooking(
  store: EventStore,
  ours: Ours,
  ...[stream, options]: Parameters<EventStore['readStream']>
): AsyncIterable<RecordedEvent> {
  for await (const event of store.readStream(stream, options)) {
    noteForeign(ours, event);
    yield event;
  }
}

async function firstOf(store: EventStore, ours: Ours): Promise<RecordedEvent | undefined> {
  for await (const event of readOwn(store, ours, { maxCount: 1 })) return event;
  return undefined;
}

async function* readOwn(
  store: EventStore,
  ours: Ours,
  { maxCount = Number.POSITIVE_INFINITY, ...options }: ReadAllOptions = {},
): AsyncIterable<RecordedEvent> {
  checkCount('maxCount', maxCount);
  if (maxCount === 0) return;
  let read = 0;
  for await (const event of store.readAll({ ...options, ...narrowed(ours, options.filter) })) {
    if (!isOwn(ours, event)) continue;
    yield event;
    read += 1;
    if (read >= maxCount) return;
  }
}

async function* subscribeToOwn(
  store: EventStore,
  ours: Ours,
  options: SubscribeOptions,
): AsyncIterable<SubscriptionMessage> {
  for await (const message of store.subscribe({ ...options, ...narrowed(ours, options.filter) }))
    if (message.kind !== 'event' || isOwn(ours, message.event)) yield message;
}

function isOwn(ours: Ours, event: RecordedEvent): boolean {
  noteForeign(ours, event);
  return ours.wrote(event);
}

function noteForeign({ wrote, foreign }: Ours, event: RecordedEvent): void {
  if (foreign && !wrote(event)) foreign.noteEvent(event);
}

/** A server filters by streams or by types. By streams it sends nothing of others. */
function narrowed({ prefixesOf }: Ours, filter: EventFilter | undefined): { filter?: EventFilter } {
  if (!filter?.types || filter.streamPrefixes || !prefixesOf) return filter ? { filter } : {};
  return { filter: { ...filter, streamPrefixes: prefixesOf(filter.types) } };
}
