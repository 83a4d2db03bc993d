import { BIGINT, parsers, TIMESTAMP, TIMESTAMPTZ } from './parsers.ts';

test.each([
  ['a number as a number', BIGINT, '-42', -42],
  ['one that would lose digits with all of them', BIGINT, '9007199254740993', 9007199254740993n],
  ['an instant as the ledger writes it', TIMESTAMPTZ, '2026-03-02 10:00:00+00', '2026-03-02T10:00:00.000Z'],
  ['for ever as for ever', TIMESTAMPTZ, 'infinity', 'infinity'],
  ['what has no time zone without one', TIMESTAMP, '2026-03-01 00:00:00', '2026-03-01 00:00:00'],
])('reads %s', (_, type, written, value) => {
  expect(parsers[type]?.(written)).toEqual(value);
});
