import type { EventStore, ReadAllOptions, RecordedEvent, SubscribeOptions, SubscriptionMessage } from './port.ts';
import { checkCount } from './read-checks.ts';

/**
 * The part of a log that is ours. A server's log may hold events of other programs, and the server's own. None of them is
 * read, whatever their types are called. So the events that are left have the same order, and the same number of events
 * before each, in every copy of the log.
 * @param isOurs whether a stream of this name is ours
 */
export function ownEventsOf(store: EventStore, isOurs: (stream: string) => boolean): EventStore {
  return {
    append: (stream, events, expected, patience) => store.append(stream, events, expected, patience),
    readStream: (stream, options) => store.readStream(stream, options),
    readAll: (options) => readOwn(store, isOurs, options),
    subscribe: (options) => subscribeToOwn(store, isOurs, options),
    head: (patience) => store.head(patience),
    identity: () => store.identity(),
    limits: store.limits,
    close: () => store.close(),
  };
}

async function* readOwn(
  store: EventStore,
  isOurs: (stream: string) => boolean,
  { maxCount = Number.POSITIVE_INFINITY, ...options }: ReadAllOptions = {},
): AsyncIterable<RecordedEvent> {
  checkCount('maxCount', maxCount);
  if (maxCount === 0) return;
  let read = 0;
  for await (const event of store.readAll(options)) {
    if (!isOurs(event.stream)) continue;
    yield event;
    read += 1;
    if (read >= maxCount) return;
  }
}

async function* subscribeToOwn(
  store: EventStore,
  isOurs: (stream: string) => boolean,
  options: SubscribeOptions,
): AsyncIterable<SubscriptionMessage> {
  for await (const message of store.subscribe(options))
    if (message.kind !== 'event' || isOurs(message.event.stream)) yield message;
}
