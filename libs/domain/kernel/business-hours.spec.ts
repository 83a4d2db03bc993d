import fc from 'fast-check';
import { addBusinessHours, type BusinessCalendar } from './business-hours.ts';
import { toInstant } from './instants.ts';
import { localDayOf } from './local-days.ts';

const newYork: BusinessCalendar = { timeZone: 'America/New_York', holidays: [] };
/** Friday, 12 June 2026, noon in New York. */
const FRIDAY_NOON = '2026-06-12T16:00:00.000Z';

describe('business hours', () => {
  it('SUP-1: run day and night from Monday to Friday, and rest over the weekend', () => {
    expect(addBusinessHours('2026-06-09T16:00:00.000Z', 48, newYork)).toBe('2026-06-11T16:00:00.000Z');
    expect(addBusinessHours(FRIDAY_NOON, 48, newYork)).toBe('2026-06-16T16:00:00.000Z');
  });

  it('SUP-1: begin on Monday for what comes on a weekend', () => {
    expect(addBusinessHours('2026-06-13T12:00:00.000Z', 1, newYork)).toBe('2026-06-15T05:00:00.000Z');
  });

  it('SUP-1: rest on holidays, on two in a row and on one that is a weekend day anyway', () => {
    const juneteenth = { ...newYork, holidays: ['2026-06-15', '2026-06-16', '2026-06-13'] };
    expect(addBusinessHours(FRIDAY_NOON, 48, juneteenth)).toBe('2026-06-18T16:00:00.000Z');
  });

  it('SUP-1: that run out with a Friday are over when Monday begins', () => {
    expect(addBusinessHours(FRIDAY_NOON, 12, newYork)).toBe('2026-06-15T04:00:00.000Z');
  });

  it("SUP-1: go by the days of the calendar's zone, not of ours", () => {
    const sundayInNewYork = '2026-06-15T02:00:00.000Z';
    expect(addBusinessHours(sundayInNewYork, 1, newYork)).toBe('2026-06-15T05:00:00.000Z');
    expect(addBusinessHours(sundayInNewYork, 1, { ...newYork, timeZone: 'Asia/Tokyo' })).toBe(
      '2026-06-15T03:00:00.000Z',
    );
  });

  it('SUP-1: are hours that pass: a business day on which the clocks go forward has 23 of them, another one 25', () => {
    const jerusalem = { timeZone: 'Asia/Jerusalem', holidays: [] };
    // Clocks went forward on Friday, 27 March 2026, at two in the night.
    expect(addBusinessHours('2026-03-26T22:00:00.000Z', 23, jerusalem)).toBe('2026-03-29T21:00:00.000Z');
    const cairo = { timeZone: 'Africa/Cairo', holidays: [] };
    // And back on Thursday, 29 October 2026, at midnight, which came twice.
    expect(addBusinessHours('2026-10-28T21:00:00.000Z', 25, cairo)).toBe('2026-10-29T22:00:00.000Z');
  });

  const zones = ['America/New_York', 'Pacific/Honolulu', 'Asia/Jerusalem', 'Pacific/Apia', 'Africa/Cairo'];
  const instants = fc.integer({ min: Date.UTC(2010, 0), max: Date.UTC(2030, 0) }).map(toInstant);
  /** Quarters of an hour: what binary fractions can say exactly. */
  const hours = fc.integer({ min: 0, max: 800 }).map((quarters) => quarters / 4);
  const calendars = fc.record({
    timeZone: fc.constantFrom(...zones),
    daysFree: fc.array(fc.integer({ min: 0, max: 20 })),
  });
  const weekdayOf = (at: string, timeZone: string) =>
    new Intl.DateTimeFormat('en-US', { timeZone, weekday: 'short' }).format(Date.parse(at));
  const calendarAt = (from: string, { timeZone, daysFree }: { timeZone: string; daysFree: number[] }) => ({
    timeZone,
    holidays: daysFree.map((days) => localDayOf(toInstant(Date.parse(from) + days * 86_400_000), timeZone)),
  });

  it('SUP-1: never run out on a weekend or a holiday, nor before they began', () => {
    fc.assert(
      fc.property(instants, hours, calendars, (from, count, free) => {
        const calendar = calendarAt(from, free);
        const due = addBusinessHours(from, count, calendar);
        expect(weekdayOf(due, calendar.timeZone)).not.toMatch(/Sat|Sun/);
        expect(calendar.holidays).not.toContain(localDayOf(due, calendar.timeZone));
        expect(due >= from).toBe(true);
        expect(Date.parse(due) - Date.parse(from)).toBeGreaterThanOrEqual(count * 3_600_000);
      }),
    );
  });

  it('SUP-1: run out later for what comes later, and for more of them', () => {
    fc.assert(
      fc.property(
        instants,
        fc.integer({ min: 0, max: 10 * 86_400_000 }),
        hours,
        hours,
        calendars,
        (from, later, count, more, free) => {
          const calendar = calendarAt(from, free);
          const due = addBusinessHours(from, count, calendar);
          expect(addBusinessHours(toInstant(Date.parse(from) + later), count, calendar) >= due).toBe(true);
          const dueWithMore = addBusinessHours(from, count + more, calendar);
          expect(more === 0 ? dueWithMore === due : dueWithMore > due).toBe(true);
        },
      ),
    );
  });

  it('SUP-1: in parts are as many as at once', () => {
    fc.assert(
      fc.property(instants, hours, hours, calendars, (from, some, others, free) => {
        const calendar = calendarAt(from, free);
        const inParts = addBusinessHours(addBusinessHours(from, some, calendar), others, calendar);
        expect(inParts).toBe(addBusinessHours(from, some + others, calendar));
      }),
    );
  });

  it('SUP-1: are those of UTC where an older policy names a time zone that nobody knows', () => {
    const friday = '2026-05-01T12:00:00.000Z';
    const inUtc = addBusinessHours(friday, 48, { timeZone: 'UTC', holidays: [] });
    expect(addBusinessHours(friday, 48, { timeZone: 'PST', holidays: [] })).toBe(inUtc);
  });
});
