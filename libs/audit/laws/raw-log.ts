import type { RecordedEvent } from '#event-store/port';

/**
 * An event as an auditor reads it: parsed here and not by the codec, so that a defect of the codec cannot hide itself.
 * `data` and `cause` (its metadata) are JSON objects; nothing else is known about them.
 */
export interface RawEvent {
  readonly stream: string;
  /** The part after the first dash of the stream's name. */
  readonly id: string;
  readonly revision: number;
  /** 1 for the first event of the ledger. */
  readonly ordinal: number;
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: an auditor takes nothing about the contents for granted
  readonly data: any;
  readonly cause: Readonly<Record<string, unknown>>;
  /** The name of the business that a customer states, where its box can be opened. */
  readonly openedName?: string | undefined;
}

/** @param ordinal its number in the log, from 1 @throws SyntaxError, TypeError when its data or metadata is not a JSON object in UTF-8 */
export function parseRaw({ stream, revision, type, data, metadata }: RecordedEvent, ordinal: number): RawEvent {
  const id = stream.slice(stream.indexOf('-') + 1);
  return { stream, id, revision, ordinal, type, data: objectIn(data), cause: objectIn(metadata) as RawEvent['cause'] };
}

/** The data of an event, for those who need no more of it. @throws SyntaxError, TypeError */
export const dataOf = ({ data }: RecordedEvent): object => objectIn(data);

function objectIn(bytes: Uint8Array): object {
  const data: unknown = JSON.parse(utf8.decode(bytes));
  if (typeof data !== 'object' || data === null || Array.isArray(data)) throw new TypeError('not a JSON object');
  return data;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** How an event is named in reports: `order-17@3` is the fourth event of that stream. */
export const nameOf = ({ stream, revision }: { stream: string; revision: number }): string => `${stream}@${revision}`;

/** Notices events that are missing from a stream or are in it twice. */
export class RevisionCheck {
  readonly #nextRevisions = new Map<string, number>();

  /** Whether this event has the next revision of its stream. After a gap, counting continues behind it. */
  follows({ stream, revision }: Pick<RecordedEvent, 'stream' | 'revision'>): boolean {
    const expected = this.#nextRevisions.get(stream) ?? 0;
    this.#nextRevisions.set(stream, Math.max(expected, revision + 1));
    return revision === expected;
  }

  /** Whether the log so far has an event of a stream at this revision, or a later one. */
  reached(stream: string, revision: unknown): boolean {
    return typeof revision === 'number' && revision >= 0 && revision < (this.#nextRevisions.get(stream) ?? 0);
  }
}

/**
 * The calendar day of an instant in a time zone, as YYYY-MM-DD.
 * In UTC where the zone is not known here: older versions took names that another machine knew.
 * @throws RangeError for an instant that does not exist.
 */
export function dayIn(timeZone: string, instant: string): string {
  let zone = zones.get(timeZone);
  if (!zone) {
    // Swedish dates are written year-month-day.
    const known = isKnown(timeZone) ? timeZone : 'UTC';
    const format = new Intl.DateTimeFormat('sv-SE', {
      timeZone: known,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
    });
    zone = { format, instant: '', day: '' };
    zones.set(timeZone, zone);
  }
  if (zone.instant !== instant) {
    zone.day = zone.format.format(Date.parse(instant));
    zone.instant = instant;
  }
  return zone.day;
}

/** Whether the days of a time zone can be counted. The abbreviations that only ICU knows are no names of time zones. */
export const hasDays = (timeZone: string): boolean => !ABBREVIATION.test(timeZone) && isKnown(timeZone);
const ABBREVIATION = /^(AC|AE|AG|AR|AS|BE|BS|CA|CN|CS|CT|EA|EC|IE|IS|JS|MI|NE|NS|PL|PN|PR|PS|SS|VS)T$/i;

const knownZones = new Map<string, boolean>();
function isKnown(timeZone: string): boolean {
  const known = knownZones.get(timeZone) ?? (/^[A-Za-z]/.test(timeZone) && isInCalendar(timeZone));
  knownZones.set(timeZone, known);
  return known;
}

function isInCalendar(timeZone: string): boolean {
  try {
    new Intl.DateTimeFormat('sv-SE', { timeZone });
    return true;
  } catch {
    return false;
  }
}

/** Each with its last answer: deliveries come in groups, and the calendar is slow. */
const zones = new Map<string, { readonly format: Intl.DateTimeFormat; instant: string; day: string }>();

/** The ids of the customers among the streams of an erasure. */
export const customersIn = (subjects: readonly string[]): readonly string[] =>
  subjects.filter((subject) => subject.startsWith('customer-')).map((subject) => subject.slice('customer-'.length));

/** A business's name as DLV-3 compares it: letters and digits only, without case. */
export function comparableName(business: string): string {
  let comparable = '';
  for (const capital of business.normalize('NFKC').toUpperCase())
    for (const character of capital.toLowerCase()) if (letterOrDigit.test(character)) comparable += character;
  return comparable;
}

const letterOrDigit = /^[\p{L}\p{N}]$/u;
