import type { Instant } from '../kernel/events.ts';
import { deriveId } from '../kernel/ids.ts';
import { addHours } from '../kernel/instants.ts';

/** One record of a person, as somebody sent it. */
export interface PersonRecord {
  readonly leadTypeId: string;
  readonly source: string;
  readonly capturedAt?: Instant | undefined;
  readonly telephoneKey?: string | undefined;
  readonly emailKey?: string | undefined;
}

export interface ReceivedRecord extends PersonRecord {
  /** When it was received. */
  readonly at: Instant;
}

/** Without a capture instant, two records are the same one sent twice when they come within this time. */
const HOURS_OF_ONE_RECORD = 1;

const named = ['leadTypeId', 'source', 'telephoneKey', 'emailKey', 'capturedAt'] as const;

/**
 * Whether a record is known: the same one was received before, on whichever route (DLV-11). Any other record of the person is a
 * duplicate. A clock that was set back changes nothing.
 */
export function isSameRecord(one: ReceivedRecord, other: ReceivedRecord): boolean {
  if (!named.every((name) => one[name] === other[name])) return false;
  if (one.capturedAt !== undefined) return true;
  const [earlier, later] = [one.at, other.at].sort() as [Instant, Instant];
  return later <= addHours(earlier, HOURS_OF_ONE_RECORD);
}

/** The lead id of a record that has no key of its sender: equal for equal records, so that one stream decides between them. */
export const idOfRecord = (record: ReceivedRecord): string => idIn(record, record.capturedAt ?? hourOf(record.at));

/** The other ids under which the same record may have been received: an hour around it may end in another hour of the clock. */
export function neighbouringIds(record: ReceivedRecord): readonly string[] {
  if (record.capturedAt !== undefined) return [];
  const { at } = record;
  return [-HOURS_OF_ONE_RECORD, HOURS_OF_ONE_RECORD].map((hours) => idIn(record, hourOf(addHours(at, hours))));
}

const idIn = ({ leadTypeId, source, telephoneKey = '', emailKey = '' }: PersonRecord, occasion: string): string =>
  deriveId('lead', leadTypeId, source, telephoneKey, emailKey, occasion);

/** `2026-03-01T09`. */
const hourOf = (at: Instant): string => at.slice(0, 13);
