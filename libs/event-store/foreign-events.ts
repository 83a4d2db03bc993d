import type { EventStore, RecordedEvent } from './port.ts';

/** What others wrote into a log that the ledger uses, too. */
export interface ForeignEvents {
  readonly events: number;
  /** Streams of others that are named like ours, in the order of the log. */
  readonly namedLikeOurs: readonly string[];
}

/** How many of these streams are named. */
const MOST_NAMED = 20;

/** Reads the whole log once. @param store unlike the one that the ledger uses, it has the events of others */
export async function foreignEventsIn(
  store: Pick<EventStore, 'readAll'>,
  isOurs: (event: RecordedEvent) => boolean,
  isNamedLikeOurs: (stream: string) => boolean,
): Promise<ForeignEvents> {
  let events = 0;
  const named = new Set<string>();
  for await (const event of store.readAll()) {
    if (isOurs(event)) continue;
    events += 1;
    if (named.size < MOST_NAMED && isNamedLikeOurs(event.stream)) named.add(event.stream);
  }
  return { events, namedLikeOurs: [...named] };
}
