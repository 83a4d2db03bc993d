import { LeadgerError } from '#domain/kernel/leadger-error';
import { type EventStore, type RecordedEvent } from '#event-store/port';

/** What the target holds is not the beginning of the source. */
export class NoCopy extends LeadgerError {
  constructor(message: string) {
    super('no-copy', message);
  }
}

/** What is read of a log when it is copied. */
type Source = Pick<EventStore, 'readAll'>;

const APPENDS_UNDER_WAY = 256;

/**
 * Copies a log into another store: each event with its id, at its revision, in the order of the whole log. What the
 * target holds already must be the beginning of the source; the rest is appended, and then both are read once more
 * and compared byte by byte.
 * @throws NoCopy, and whatever the stores throw
 */
export async function copyLog(
  source: Source,
  target: EventStore,
  onProgress: (events: number) => void = () => {},
): Promise<{ copied: number; compared: number }> {
  const begun = await compareLogs(source, target);
  let copied = 0;
  let number = 0;
  const underWay = new Set<Promise<unknown>>();
  const after = begun.lastOfSource === undefined ? {} : { after: begun.lastOfSource.position };
  for await (const event of source.readAll(after)) {
    number += 1;
    const { stream, revision } = event;
    // A store keeps appends in the order in which they are asked for.
    const appending = target.append(stream, [event], revision === 0 ? 'no-stream' : revision - 1);
    underWay.add(appending);
    appending.then(
      () => underWay.delete(appending),
      () => {},
    );
    if (underWay.size >= APPENDS_UNDER_WAY) await Promise.race(underWay);
    copied += 1;
    if (number % 100 === 0) onProgress(begun.equal + copied);
  }
  await Promise.all(underWay);
  const { equal, missing } = await compareLogs(source, target);
  if (missing > 0) throw new NoCopy(`${missing} events are missing in the copy`);
  return { copied, compared: equal };
}

/** A log as it is now, whatever is added to it meanwhile. */
export async function asOfNow(log: EventStore): Promise<Source> {
  const head = await log.head();
  return {
    async *readAll(options) {
      for await (const event of log.readAll(options)) {
        if (event.position > head) return;
        yield event;
      }
    },
  };
}

/** Reads both logs side by side. @throws NoCopy at the first event that is not the same */
async function compareLogs(
  source: Source,
  target: Source,
): Promise<{ equal: number; missing: number; lastOfSource: RecordedEvent | undefined }> {
  const copies = target.readAll()[Symbol.asyncIterator]();
  let equal = 0;
  let missing = 0;
  let lastOfSource: RecordedEvent | undefined;
  let next = await copies.next();
  for await (const event of source.readAll()) {
    if (next.done) {
      missing += 1;
      continue;
    }
    const difference = differenceOf(event, next.value);
    if (difference)
      throw new NoCopy(
        `event ${equal + 1} is ${name(event)} on one side and ${name(next.value)} on the other: they differ in ${difference}`,
      );
    equal += 1;
    lastOfSource = event;
    next = await copies.next();
  }
  if (!next.done) throw new NoCopy(`the target holds more than the source: ${name(next.value)} is not in it`);
  return { equal, missing, lastOfSource };
}

const name = ({ stream, revision, type }: RecordedEvent): string => `${type} at ${stream}@${revision}`;

function differenceOf(one: RecordedEvent, other: RecordedEvent): string | undefined {
  if (one.stream !== other.stream || one.revision !== other.revision) return 'their place';
  if (one.id !== other.id) return 'their id';
  if (one.type !== other.type) return 'their type';
  if (Buffer.compare(one.data, other.data) !== 0) return 'their data';
  return Buffer.compare(one.metadata, other.metadata) === 0 ? undefined : 'their metadata';
}
