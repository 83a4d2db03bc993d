import fc from 'fast-check';
import { toInstant } from './instants.ts';
import { instantsAtLocalTime } from './local-times.ts';

describe('a local time', () => {
  it('is one instant of its zone, in summer and in winter', () => {
    expect(instantsAtLocalTime('2026-07-01T10:00', 'America/New_York')).toEqual(['2026-07-01T14:00:00.000Z']);
    expect(instantsAtLocalTime('2026-11-28T10:00:00.5', 'America/New_York')).toEqual(['2026-11-28T15:00:00.500Z']);
    expect(instantsAtLocalTime('2026-11-28T10:00:00', 'Asia/Kathmandu')).toEqual(['2026-11-28T04:15:00.000Z']);
  });

  it('does not exist where the clocks were put forward over it', () => {
    expect(instantsAtLocalTime('2026-03-08T02:30:00', 'America/New_York')).toEqual([]);
    expect(instantsAtLocalTime('2026-03-08T02:30:00', 'America/Phoenix')).toHaveLength(1);
    // Samoa had no 30 December 2011.
    expect(instantsAtLocalTime('2011-12-30T12:00:00', 'Pacific/Apia')).toEqual([]);
  });

  it('exists twice where the clocks were put back over it', () => {
    expect(instantsAtLocalTime('2025-11-02T01:30:00', 'America/New_York')).toEqual([
      '2025-11-02T05:30:00.000Z',
      '2025-11-02T06:30:00.000Z',
    ]);
  });

  it.each(['2026-02-30T10:00', '2026-13-01T10:00', '2026-01-01T25:00', '2026-01-01T10:61', '0000-01-01T00:00'])(
    'that is none does not exist: %s',
    (text) => {
      expect(instantsAtLocalTime(text, 'America/New_York')).toEqual([]);
    },
  );

  it('is what the clocks of the platform show', () => {
    const milliseconds = fc.integer({ min: Date.UTC(2014, 0), max: Date.UTC(2030, 0) });
    const zones = fc.constantFrom('America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'Europe/London');
    fc.assert(
      fc.property(milliseconds, zones, (milliseconds, timeZone) => {
        const at = Math.floor(milliseconds / 1000) * 1000;
        const shown = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' }).format(
          at,
        );
        expect(instantsAtLocalTime(shown.replace(' ', 'T'), timeZone)).toContain(toInstant(at));
      }),
      { numRuns: 300 },
    );
  });
});
