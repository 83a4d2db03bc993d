import { Temporal } from 'temporal-polyfill';
import type { Instant } from './events.ts';
import { toInstant } from './instants.ts';

/** A calendar day in a time zone, YYYY-MM-DD. */
export type LocalDay = string;

interface LocalDayRange {
  readonly day: LocalDay;
  /** The first millisecond of the day, and of the next day. A day has 23 to 25 hours; a few days were skipped. */
  readonly from: number;
  readonly until: number;
}

/** The last result in each zone: deciders need the same day again and again. */
const lastAsked = new Map<string, LocalDayRange>();

/** The calendar day that an instant falls on in a zone (DLV-5). @throws RangeError for a zone that does not exist */
export const localDayOf = (at: Instant, timeZone: string): LocalDay => dayAround(at, timeZone).day;

/** When the next calendar day of that zone begins: the first instant whose local day is a later one. */
export const startOfNextLocalDay = (at: Instant, timeZone: string): Instant => toInstant(dayAround(at, timeZone).until);

/**
 * Whether this is the IANA name of a time zone whose days are known here. Offsets like +02:00 are not: they ignore daylight saving
 * time. Nor are the abbreviations that ICU takes, like IST, which is the time of India, of Israel and of Ireland.
 */
export function isTimeZone(name: string): boolean {
  const known = zoneNames.get(name);
  if (known !== undefined) return known;
  const found = /^[A-Za-z]/.test(name) && hasDays(name);
  if (zoneNames.size < MOST_NAMES_KEPT) zoneNames.set(name, found);
  return found;
}

const zoneNames = new Map<string, boolean>();
/** Names come from outside: there may be any number of wrong ones. */
const MOST_NAMES_KEPT = 2000;

/** Asked of what counts the days. */
function hasDays(timeZone: string): boolean {
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(timeZone);
    return true;
  } catch {
    return false;
  }
}

/** For people: `2026-03-09 22:21 (America/New_York)`, `2026-03-10 02:21 UTC`. @throws RangeError for a zone that does not exist */
export function tellLocalTime(at: Instant, timeZone: string): string {
  const local = Temporal.Instant.from(at).toZonedDateTimeISO(timeZone);
  const time = `${local.toPlainDate()} ${local.toPlainTime().toString({ smallestUnit: 'minute' })}`;
  return timeZone === 'UTC' ? `${time} UTC` : `${time} (${timeZone})`;
}

function dayAround(at: Instant, timeZone: string): LocalDayRange {
  const milliseconds = Date.parse(at);
  const last = lastAsked.get(timeZone);
  if (last && last.from <= milliseconds && milliseconds < last.until) return last;
  const local = Temporal.Instant.from(at).toZonedDateTimeISO(timeZone);
  const start = local.startOfDay();
  const range = {
    day: local.toPlainDate().toString(),
    from: start.epochMilliseconds,
    until: start.add({ days: 1 }).startOfDay().epochMilliseconds,
  };
  lastAsked.set(timeZone, range);
  return range;
}
