import { StreamDamaged } from '#event-store/damage';
import type { EventStore, Position, RecordedEvent } from '#event-store/port';
import { isAboutData, reasonWithoutValues } from '../errors.ts';
import { type Copy, holdCopy, type ParkedStream, park, parkedIn, unpark } from './copies.ts';
import { type Db, typesFollowedBy } from './model.ts';
import { type LeftOut, project } from './project.ts';

const NOTHING_LEFT_OUT: LeftOut = { parked: new Set(), beginningsLost: new Map() };

/**
 * Takes the events that were left out of a copy's parked streams, in the order of the log, in one transaction; then the
 * streams are followed again. If the database refuses that, each stream is tried alone.
 * @returns the streams that stay parked, with the reasons
 */
export async function retryParked(copy: Copy, stores: { db: Db; store: EventStore }): Promise<readonly ParkedStream[]> {
  const { db } = stores;
  const parked = await parkedIn(db, copy);
  if (parked.length > 0 && (await tryTogether(copy, parked, stores)) !== undefined)
    for (const alone of parked) {
      const refused = await tryTogether(copy, [alone], stores);
      if (refused)
        await db.transaction().execute((tx) => park(tx, copy, { ...alone, reason: reasonWithoutValues(refused) }));
    }
  return parkedIn(db, copy);
}

/** @returns the error with which the database refused it, and then nothing was changed; undefined when it succeeded */
async function tryTogether(
  copy: Copy,
  streams: readonly ParkedStream[],
  { db, store }: { db: Db; store: EventStore },
): Promise<Error | undefined> {
  try {
    await db.transaction().execute(async (tx) => {
      const position = await holdCopy(tx, copy);
      const events = await eventsLeftOut(store, copy, streams, position);
      await unpark(
        tx,
        copy,
        streams.map(({ stream }) => stream),
      );
      for (const parked of await project(tx, copy, events, NOTHING_LEFT_OUT)) await park(tx, copy, parked);
    });
    return undefined;
  } catch (error) {
    if (!isAboutData(error) && !(error instanceof StreamDamaged)) throw error;
    return error as Error;
  }
}

async function eventsLeftOut(
  store: EventStore,
  { model }: Copy,
  streams: readonly ParkedStream[],
  upTo: Position,
): Promise<readonly RecordedEvent[]> {
  const types = typesFollowedBy(model);
  const events: RecordedEvent[] = [];
  for (const { stream, revision } of streams)
    for await (const event of store.readStream(stream, { from: revision }))
      if (event.position <= upTo && types.includes(event.type)) events.push(event);
  return events.sort((a, b) => (a.position < b.position ? -1 : 1));
}
