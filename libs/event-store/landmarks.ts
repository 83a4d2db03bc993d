import type { EventStore, Landmark, Position, RecordedEvent } from './port.ts';

export const landmarkOf = ({ position, id }: RecordedEvent): Landmark => ({ position, id });

/**
 * Whether a log still has an event, or may have had it: an event that was removed says nothing about what is before it.
 * After an older copy was restored, no event behind its end is there any more.
 */
export async function isThere(store: Pick<EventStore, 'placeAt'>, { position, id }: Landmark): Promise<boolean> {
  const place = await store.placeAt(position);
  return place.kind === 'event' ? place.id === id : place.kind === 'removed';
}

/** How far a log is the same as when the landmarks were kept, and whether it was cut behind that. */
export async function newestThere(
  store: Pick<EventStore, 'placeAt'>,
  landmarks: readonly Landmark[],
): Promise<{ readonly there?: Position; readonly isCut: boolean }> {
  const newestFirst = landmarks.toSorted((one, other) => (one.position < other.position ? 1 : -1));
  let isCut = false;
  for (const landmark of newestFirst) {
    if (await isThere(store, landmark)) return { there: landmark.position, isCut };
    isCut = true;
  }
  return { isCut };
}
