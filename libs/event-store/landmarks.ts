import type { EventStore, Landmark, RecordedEvent } from './port.ts';

export const landmarkOf = ({ position, id }: RecordedEvent): Landmark => ({ position, id });

/**
 * Whether a log still has an event, or may have had it: an event that was removed says nothing about what is before it.
 * After an older copy was restored, no event behind its end is there any more.
 */
export async function isThere(store: Pick<EventStore, 'placeAt'>, { position, id }: Landmark): Promise<boolean> {
  const place = await store.placeAt(position);
  return place.kind === 'event' ? place.id === id : place.kind === 'removed';
}
