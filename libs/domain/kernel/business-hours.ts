import type { Instant } from './events.ts';
import { HOUR_MILLISECONDS, toInstant } from './instants.ts';
import { isTimeZone, type LocalDay, localDayOf, startOfNextLocalDay } from './local-days.ts';

const SATURDAY = 6;
const SUNDAY = 0;

/** When support answers: Monday to Friday in the business's time zone, except on holidays. */
export interface BusinessCalendar {
  readonly timeZone: string;
  readonly holidays: readonly LocalDay[];
}

/**
 * The instant at which the given number of hours of business days has passed (SUP-1). All 24 hours of a business day count, other
 * days do not. The result is always on a business day: hours that end with a Friday end when Monday begins.
 */
export function addBusinessHours(from: Instant, hours: number, { timeZone, holidays }: BusinessCalendar): Instant {
  // An older policy may name a time zone that is not known. Tickets are answered all the same.
  const calendar = { timeZone: isTimeZone(timeZone) ? timeZone : 'UTC', holidays };
  let left = Math.round(hours * HOUR_MILLISECONDS);
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
