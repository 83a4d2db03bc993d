import type { EventStore } from '#event-store/port';

/**
 * The first revision of each stream that the log itself still has: it has what metadata hides, until a scavenge. Reads it from
 * its beginning to the last of these first events. A stream that has no event in the log is left out.
 */
export async function firstRevisionsIn(
  store: Pick<EventStore, 'readAll'>,
  streams: ReadonlySet<string>,
): Promise<ReadonlyMap<string, number>> {
  const first = new Map<string, number>();
  if (streams.size === 0) return first;
  for await (const { stream, revision } of store.readAll({ filter: { streamPrefixes: [...streams] } })) {
    if (streams.has(stream) && !first.has(stream)) first.set(stream, revision);
    if (first.size === streams.size) break;
  }
  return first;
}
