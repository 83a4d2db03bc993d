import type { EventStore } from '#event-store/port';
import { type DamagedStream, damagedStreamsIn, foreignStreamsIn, sightOf } from '#requests/damaged-streams';
import { openForReading, type StoreLocation } from '#wiring/stores';
import { printJson, printLines } from './print.ts';
import { noteCounts } from './telling.ts';

/** Lists the streams that others cut, deleted or write to. @returns the exit code: 0 when all streams are whole, as far as seen */
export async function damaged(location: StoreLocation, { json = false }: { json?: boolean }): Promise<number> {
  const stores = await openForReading(location);
  try {
    const { damages } = stores.events;
    await damages?.searched();
    const found = [...damagedStreamsIn(damages), ...(await foreignStreamsOf(stores.events))];
    const sight = sightOf(damages);
    noteCounts({ streams: found.length });
    if (json) printJson({ sight, streams: found });
    else printLines(...linesAboutDamage(found, sight));
    return found.length === 0 && (sight === 'watching' || sight === 'alone') ? 0 : 1;
  } finally {
    await stores.close();
  }
}

/** Whatever is read of the log is looked at: so it is read once, where others may write to it. */
async function foreignStreamsOf(events: EventStore): Promise<readonly DamagedStream[]> {
  if (events.foreignStreams) for await (const _ of events.readAll());
  return foreignStreamsIn(events);
}

export const linesAboutDamage = (found: readonly DamagedStream[], sight: ReturnType<typeof sightOf>): string[] => [
  ...found.flatMap(({ stream, how, what, wayBack, refused }) => [
    `${how === 'foreign' ? 'FOREIGN' : refused ? 'DAMAGED' : 'LATER  '}  ${stream}: ${what}`,
    `         the way back: ${wayBack}`,
  ]),
  ...(found.length === 0 && sight === 'alone' ? ['nobody else can cut or delete the streams of this store'] : []),
  ...(found.length === 0 && sight === 'watching' ? ['no stream is cut or deleted, and nobody else writes to one'] : []),
  ...(sight === 'blind' ? ['BLIND    this account may not see what others do to the streams (docs/deploy.md)'] : []),
  ...(sight === 'away' ? ['BLIND    what others did to the streams could not be read'] : []),
];
