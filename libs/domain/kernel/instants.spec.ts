import { addDays, addSeconds, parseInstant } from './instants.ts';

describe('parseInstant', () => {
  it.each([
    ['2026-03-08T02:30:00Z', '2026-03-08T02:30:00.000Z'],
    ['2026-03-08T02:30Z', '2026-03-08T02:30:00.000Z'],
    ['2026-03-08 02:30:00+0100', '2026-03-08T01:30:00.000Z'],
    ['2026-03-08t02:30:00.123456789-05:00', '2026-03-08T07:30:00.123Z'],
    ['2024-02-29T00:00:00z', '2024-02-29T00:00:00.000Z'],
  ])('reads %s as %s', (written, utc) => {
    expect(parseInstant(written)).toBe(utc);
  });

  it.each([
    ['no zone', '2026-03-08T02:30:00'],
    ['no time', '2026-03-08'],
    ['a day that is none', '2026-02-30T00:00:00Z'],
    ['a month that is none', '2026-13-01T00:00:00Z'],
    ['an hour that is none', '2026-03-08T25:00:00Z'],
    ['a year that was none', '0000-01-01T00:00:00Z'],
    ['a year that was none, by its zone', '0001-01-01T00:00:00+01:00'],
    ['a year of five digits, by its zone', '9999-12-31T23:59:59-01:00'],
    ['another notation', '03/08/2026 02:30 PM'],
    ['a number', '1772937000'],
    ['nothing', ''],
  ])('takes no instant with %s', (_, written) => {
    expect(parseInstant(written)).toBeUndefined();
  });
});

it('counts days as 24 hours and seconds as seconds', () => {
  expect(addDays('2026-03-08T00:00:00.000Z', 1.5)).toBe('2026-03-09T12:00:00.000Z');
  expect(addSeconds('2026-12-31T23:59:59.500Z', 1)).toBe('2027-01-01T00:00:00.500Z');
});
