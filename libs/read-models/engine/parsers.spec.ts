import { BIGINT, BYTEA, JSONB, NUMERIC, parsers, parsersOfAnswers, TIMESTAMP, TIMESTAMPTZ } from './parsers.ts';

const [BIGINTS, NUMERICS, BYTEAS, INSTANTS, JSONBS] = [1016, 1231, 1001, 1185, 3807];

test.each([
  ['a number as a number', BIGINT, '-42', -42],
  ['one that would lose digits with all of them', BIGINT, '9007199254740993', 9007199254740993n],
  ['an instant as the ledger writes it', TIMESTAMPTZ, '2026-03-02 10:00:00+00', '2026-03-02T10:00:00.000Z'],
  ['for ever as for ever', TIMESTAMPTZ, 'infinity', 'infinity'],
  ['what has no time zone without one', TIMESTAMP, '2026-03-01 00:00:00', '2026-03-01 00:00:00'],
])('reads %s', (_, type, written, value) => {
  expect(parsers[type]?.(written)).toEqual(value);
});

test.each([
  ['a fraction as a number where that has all its digits', NUMERIC, '-0.250', -0.25],
  ['a very small one too', NUMERIC, '0.0000000010', 1e-9],
  ['nothing but zeros as zero', NUMERIC, '0.00', 0],
  ['a fraction with more digits as text', NUMERIC, '0.33333333333333333333', '0.33333333333333333333'],
  ['a large number with a fraction as text', NUMERIC, '9007199254740993.5', '9007199254740993.5'],
  ['a whole number as a number', NUMERIC, '12.00', 12],
  ['a large whole number with all its digits', NUMERIC, '9007199254740992.00', 9007199254740992n],
  ['what is no number as that', NUMERIC, 'NaN', Number.NaN],
  ['more than any number as that', NUMERIC, '-Infinity', Number.NEGATIVE_INFINITY],
  ['bytes as PostgreSQL writes them', BYTEA, '\\xdead', '\\xdead'],
  [
    'numbers within JSON alike',
    JSONB,
    '{"a": [9007199254740993, 1.50, 1e3, 1e400]}',
    { a: [9007199254740993n, 1.5, 1000, '1e400'] },
  ],
  ['a list of large numbers', BIGINTS, '{1,NULL,9007199254740993}', [1, null, 9007199254740993n]],
  [
    'a list of lists that begins elsewhere',
    NUMERICS,
    '[0:1][2:2]={{0.5},{0.12345678901234567890}}',
    [[0.5], ['0.12345678901234567890']],
  ],
  ['an empty list', BIGINTS, '{}', []],
  ['a list of bytes', BYTEAS, '{"\\\\xdead",NULL}', ['\\xdead', null]],
  ['a list of instants', INSTANTS, '{"2026-03-02 10:00:00+00"}', ['2026-03-02T10:00:00.000Z']],
  ['a list of JSON', JSONBS, '{"{\\"say\\": \\"{hi},\\\\\\"\\"}",NULL,"null"}', [{ say: '{hi},"' }, null, null]],
])('an analyst gets %s', (_, type, written, value) => {
  expect(parsersOfAnswers[type]?.(written)).toEqual(value);
});
