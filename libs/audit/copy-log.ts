import { counted } from '#domain/kernel/counted';
import { LeadgerError } from '#domain/kernel/leadger-error';
import { type AppendResult, type EventStore, type RecordedEvent, WrongExpectedRevision } from '#event-store/port';

/** The target does not hold the beginning of the source. */
export class NoCopy extends LeadgerError {
  constructor(message: string, options?: ErrorOptions) {
    super('no-copy', message, options);
  }
}

/** The part of a store that a copy reads. */
export type Source = Pick<EventStore, 'readAll'>;

const MAX_APPENDS_IN_FLIGHT = 256;

interface CopyLogOptions {
  readonly onProgress?: (events: number) => void;
  /** Called before the first event is written, when the target is known to be the beginning of the source. */
  readonly beforeFirst?: () => Promise<unknown>;
}

/**
 * Copies a log into another store: each event with its id, at its revision, in the order of the whole log. The events
 * that the target holds already must be the beginning of the source. The rest is appended. Then both logs are read once
 * more and compared byte by byte.
 * @throws NoCopy, and whatever the stores throw
 */
export async function copyLog(
  source: Source,
  target: EventStore,
  { onProgress = () => {}, beforeFirst = async () => {} }: CopyLogOptions = {},
): Promise<{ copied: number; compared: number }> {
  const begun = await compareLogs(source, target);
  await beforeFirst();
  const rest = source.readAll(begun.lastOfSource ? { after: begun.lastOfSource.position } : {});
  const copied = await appendAll(rest, target, (events) => onProgress(begun.equal + events));
  const { equal, missing } = await compareLogs(source, target);
  if (missing > 0) throw new NoCopy(`${counted(missing, 'event is', 'events are')} missing in the copy`);
  return { copied, compared: equal };
}

/**
 * Many appends are in flight at once. A store keeps them in the order of the calls. After one that fails, no other is sent:
 * what is there stays the beginning of the source, so that the copy can be continued.
 */
export async function appendAll(
  events: AsyncIterable<RecordedEvent>,
  target: EventStore,
  onProgress: (events: number) => void,
): Promise<number> {
  let copied = 0;
  let failed = false;
  const inFlight = new Set<Promise<unknown>>();
  for await (const event of events) {
    if (failed) break;
    const appending = append(target, event);
    inFlight.add(appending);
    appending.then(
      () => inFlight.delete(appending),
      () => {
        failed = true;
      },
    );
    if (inFlight.size >= MAX_APPENDS_IN_FLIGHT) await Promise.race(inFlight);
    copied += 1;
    if (copied % 100 === 0) onProgress(copied);
  }
  await Promise.all(inFlight);
  onProgress(copied);
  return copied;
}

/** @throws NoCopy when the source lacks the events before this one: a scavenge removed what was cut or deleted */
async function append(target: EventStore, event: RecordedEvent): Promise<AppendResult> {
  const { stream, revision } = event;
  const before = revision - 1;
  try {
    return await target.append(stream, [event], before < 0 ? 'no-stream' : before, { isCopy: true });
  } catch (error) {
    if (!(error instanceof WrongExpectedRevision)) throw error;
    const last = error.actual === 'no-stream' ? -1 : error.actual;
    if (last >= before) throw error;
    throw new NoCopy(
      `the source has lost events ${last + 1} to ${before} of ${stream}: see leadger damaged, and restore it from a backup`,
      { cause: error },
    );
  }
}

/** A log up to its present end, without later events. */
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

interface Comparison {
  readonly equal: number;
  /** Events of the source that come after the last event of the target. */
  readonly missing: number;
  readonly lastOfSource: RecordedEvent | undefined;
}

/** Reads both logs side by side. @throws NoCopy at the first event that is not the same */
async function compareLogs(source: Source, target: Source): Promise<Comparison> {
  const copies = target.readAll()[Symbol.asyncIterator]();
  let [equal, missing] = [0, 0];
  let lastOfSource: RecordedEvent | undefined;
  let next = await copies.next();
  for await (const event of source.readAll()) {
    if (next.done) {
      missing += 1;
      continue;
    }
    mustBeEqual(event, next.value, equal + 1);
    equal += 1;
    lastOfSource = event;
    next = await copies.next();
  }
  if (!next.done) throw new NoCopy(`the target holds more than the source: ${nameIn(next.value)} is not in it`);
  return { equal, missing, lastOfSource };
}

function mustBeEqual(event: RecordedEvent, copy: RecordedEvent, number: number): void {
  const difference = differenceOf(event, copy);
  if (!difference) return;
  throw new NoCopy(
    `event ${number} is ${nameIn(event)} on one side and ${nameIn(copy)} on the other: they differ in ${difference}`,
  );
}

export const nameIn = ({ stream, revision, type }: Pick<RecordedEvent, 'stream' | 'revision' | 'type'>): string =>
  `${type} at ${stream}@${revision}`;

function differenceOf(one: RecordedEvent, other: RecordedEvent): string | undefined {
  if (one.stream !== other.stream || one.revision !== other.revision) return 'their stream or revision';
  if (one.id !== other.id) return 'their id';
  if (one.type !== other.type) return 'their type';
  if (Buffer.compare(one.data, other.data) !== 0) return 'their data';
  return Buffer.compare(one.metadata, other.metadata) === 0 ? undefined : 'their metadata';
}
