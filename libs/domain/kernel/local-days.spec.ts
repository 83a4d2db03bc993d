import fc from 'fast-check';
import { toInstant } from './instants.ts';
import { isTimeZone, localDayOf, startOfNextLocalDay } from './local-days.ts';

const HOUR = 3_600_000;
const hoursOf = (start: string, zone: string) =>
  (Date.parse(startOfNextLocalDay(start, zone)) - Date.parse(start)) / HOUR;

describe('local days', () => {
  it('begin at the midnight of their zone', () => {
    expect(localDayOf('2026-07-01T03:59:59.999Z', 'America/New_York')).toBe('2026-06-30');
    expect(localDayOf('2026-07-01T04:00:00.000Z', 'America/New_York')).toBe('2026-07-01');
    expect(startOfNextLocalDay('2026-06-30T12:00:00.000Z', 'America/New_York')).toBe('2026-07-01T04:00:00.000Z');
  });

  it('DLV-5: have 23 hours when the clocks go forward and 25 when they go back', () => {
    expect(hoursOf('2026-03-08T05:00:00.000Z', 'America/New_York')).toBe(23);
    expect(hoursOf('2026-11-01T04:00:00.000Z', 'America/New_York')).toBe(25);
  });

  it('DLV-5: begin at one where midnight is skipped', () => {
    // Cuba puts its clocks forward at midnight: 8 March 2026 begins at 01:00.
    expect(startOfNextLocalDay('2026-03-08T04:00:00.000Z', 'America/Havana')).toBe('2026-03-08T05:00:00.000Z');
  });

  it('say the same as the calendar of the platform, and follow one another', () => {
    const zones = ['America/New_York', 'America/Phoenix', 'Pacific/Honolulu', 'Australia/Lord_Howe', 'Asia/Kathmandu'];
    const milliseconds = fc.integer({ min: Date.UTC(2014, 0), max: Date.UTC(2030, 0) });
    fc.assert(
      fc.property(milliseconds, fc.constantFrom(...zones), (at, timeZone) => {
        const day = new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' });
        expect(localDayOf(toInstant(at), timeZone)).toBe(day.format(at));
        const next = Date.parse(startOfNextLocalDay(toInstant(at), timeZone));
        expect(next).toBeGreaterThan(at);
        expect(day.format(next - 1)).toBe(day.format(at));
        expect(day.format(next)).not.toBe(day.format(at));
      }),
      { numRuns: 300 },
    );
  });

  it('know time zones from everything else', () => {
    expect(isTimeZone('America/Indiana/Indianapolis')).toBe(true);
    expect(isTimeZone('UTC')).toBe(true);
    for (const name of ['', 'Mars/Olympus', '+02:00', 'local', 'America/New York'])
      expect(isTimeZone(name)).toBe(false);
  });

  it('know only zones whose days they can count, of all that the platform takes', () => {
    const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
    const threeLetters = letters.flatMap((a) => letters.map((b) => `${a}${b}T`));
    for (const name of [...threeLetters, ...Intl.supportedValuesOf('timeZone'), 'EST5EDT', 'Europe/Kyiv', 'GMT0']) {
      const day = () => localDayOf('2026-07-01T12:00:00.000Z', name);
      if (isTimeZone(name)) expect(day()).toMatch(/^2026-0/);
      else expect(day).toThrow(RangeError);
    }
    expect(threeLetters.filter(isTimeZone)).toContain('EST');
    expect(threeLetters.filter(isTimeZone)).not.toContain('PST');
  });
});
