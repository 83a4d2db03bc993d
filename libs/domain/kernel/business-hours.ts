import type { Instant } from './events.ts';
import { toInstant } from './instants.ts';
import { type LocalDay, localDayOf, startOfNextLocalDay } from './local-days.ts';

const HOUR = 3_600_000;
const SATURDAY = 6;
const SUNDAY = 0;

/** When somebody is there to answer: Monday to Friday where the business is, but for its holidays. */
export interface BusinessCalendar {
  readonly timeZone: string;
  readonly holidays: readonly LocalDay[];
}

/**
 * When so many hours of business days have passed (SUP-1): the whole day counts, other days not at all. Always an
 * instant of a business day: hours that run out with a Friday are over when Monday begins.
 */
export function addBusinessHours(from: Instant, hours: number, calendar: BusinessCalendar): Instant {
  let left = Math.round(hours * HOUR);
  for (let at = from; ; at = startOfNextLocalDay(at, calendar.timeZone)) {
    if (!isBusinessDay(localDayOf(at, calendar.timeZone), calendar)) continue;
    const leftOfDay = Date.parse(startOfNextLocalDay(at, calendar.timeZone)) - Date.parse(at);
    if (left < leftOfDay) return toInstant(Date.parse(at) + left);
    left -= leftOfDay;
  }
}

function isBusinessDay(day: LocalDay, { holidays }: BusinessCalendar): boolean {
  const weekday = new Date(`${day}T00:00:00Z`).getUTCDay();
  return weekday !== SATURDAY && weekday !== SUNDAY && !holidays.includes(day);
}
