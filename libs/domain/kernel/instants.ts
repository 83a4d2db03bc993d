import { type Instant, instant } from './events.ts';

const SECOND_MILLISECONDS = 1000;
export const HOUR_MILLISECONDS = 3_600_000;
export const DAY_MILLISECONDS = 86_400_000;

export const toInstant = (millisecondsSinceEpoch: number): Instant => new Date(millisecondsSinceEpoch).toISOString();

export const addSeconds = (from: Instant, seconds: number): Instant =>
  toInstant(Date.parse(from) + seconds * SECOND_MILLISECONDS);

export const addHours = (from: Instant, hours: number): Instant =>
  toInstant(Date.parse(from) + hours * HOUR_MILLISECONDS);

/** A day is 24 hours here, whatever the clocks of a zone do. May be a fraction. */
export const addDays = (from: Instant, days: number): Instant => toInstant(Date.parse(from) + days * DAY_MILLISECONDS);

/** The earliest of some instants; undefined when there is none. */
export const earliest = (instants: readonly (Instant | undefined)[]): Instant | undefined =>
  instants.filter((at) => at !== undefined).sort()[0];

/** The item in effect at an instant: the one with the latest start; of several with the same start, the last one. */
export const inEffectAt = <Dated extends { readonly effectiveFrom: Instant }>(
  all: readonly Dated[],
  at: Instant,
): Dated | undefined =>
  all
    .filter(({ effectiveFrom }) => effectiveFrom <= at)
    .reduce<Dated | undefined>((last, one) => (last && last.effectiveFrom > one.effectiveFrom ? last : one), undefined);

/** A date, a time to the minute or finer, and a zone: without a zone the instant would be ambiguous. */
const ZONED = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d([.,]\d{1,9})?)?([Zz]|[+-]\d\d:?\d\d)$/;

/** There was no year 0, and databases do not support it. */
const FIRST_YEAR = '0001';

/**
 * Reads an instant as people and other programs write it (ISO 8601 with a zone), cut to milliseconds.
 * @returns it in UTC as the ledger writes it; undefined when it is malformed, has no zone, or names no real day
 */
export function parseInstant(text: string): Instant | undefined {
  if (!ZONED.test(text)) return undefined;
  const written = text
    .toUpperCase()
    .replace(' ', 'T')
    .replace(',', '.')
    .replace(/([+-]\d\d)(\d\d)$/, '$1:$2');
  const milliseconds = Date.parse(written.replace(/(\.\d{3})\d+/, '$1'));
  if (Number.isNaN(milliseconds) || !isRealDay(written.slice(0, 10))) return undefined;
  const utc = toInstant(milliseconds);
  return utc >= FIRST_YEAR && instant.safeParse(utc).success ? utc : undefined;
}

/** `Date.parse` takes 30 February for 1 or 2 March. */
function isRealDay(day: string): boolean {
  const midnight = new Date(`${day}T00:00:00.000Z`);
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day);
}
