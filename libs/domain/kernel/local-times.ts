import { Temporal } from 'temporal-polyfill';
import type { Instant } from './events.ts';
import { parseInstant, toInstant } from './instants.ts';

/**
 * The instants at which the clocks of a zone show a time, like 2026-11-28T10:00:00: mostly one, none where the clocks are put
 * forward over it or no calendar has the day, and two where the clocks are put back.
 * @throws RangeError for a zone that does not exist
 */
export function instantsAtLocalTime(localTime: string, timeZone: string): readonly Instant[] {
  const time = localTimeIn(localTime);
  if (!time) return [];
  const found = (['earlier', 'later'] as const)
    .map((disambiguation) => time.toZonedDateTime(timeZone, { disambiguation }))
    .filter((zoned) => zoned.toPlainDateTime().equals(time))
    .map(({ epochMilliseconds }) => toInstant(epochMilliseconds));
  // An instant that the ledger does not write, like one of the year 0, is none.
  return [...new Set(found)].filter((at) => parseInstant(at) === at);
}

function localTimeIn(text: string): Temporal.PlainDateTime | undefined {
  try {
    return Temporal.PlainDateTime.from(text);
  } catch {
    return undefined;
  }
}
