import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { RowBatch } from '#read-models/engine/analysis';
import * as postgres from '#read-models/engine/parsers';
import { CommandFailed } from './command-failed.ts';
import { parquetOf } from './parquet.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'leadger-parquet-'));
});
afterAll(() => rm(directory, { recursive: true }));

async function* inPieces(answer: RowBatch, rows: number): AsyncGenerator<RowBatch> {
  for (let from = 0; from === 0 || from < answer.rows.length; from += rows)
    yield { ...answer, rows: answer.rows.slice(from, from + rows) };
}

/** What DuckDB, whose code is independent of the writer, reads from the file. */
async function readBack(answer: RowBatch, question = 'SELECT * FROM file') {
  const file = join(directory, `${crypto.randomUUID()}.parquet`);
  await writeFile(file, parquetOf(inPieces(answer, 500)));
  const duck = await (await DuckDBInstance.create()).connect();
  await duck.run("SET TimeZone = 'UTC'");
  await duck.run(`CREATE VIEW file AS FROM '${file}'`);
  const result = await duck.runAndReadAll(question);
  duck.closeSync();
  return { types: result.columnTypes().map(String), rows: result.getRowsJson(), names: result.columnNames() };
}

const columns = {
  day: postgres.DATE,
  at: postgres.TIMESTAMPTZ,
  orders: postgres.INTEGER,
  cents: postgres.BIGINT,
  share: postgres.DOUBLE_PRECISION,
  mean: postgres.NUMERIC,
  open: postgres.BOOLEAN,
  source: postgres.TEXT,
  local: postgres.TIMESTAMP,
  places: 1007,
};
const answer = (rows: unknown[][]): RowBatch => ({
  columns: Object.keys(columns),
  types: Object.values(columns),
  rows: rows as unknown[][],
});

test('dates, instants, integers, fractions, booleans and text are read back unchanged, and so is null', async () => {
  const { names, types, rows } = await readBack(
    answer([
      [
        '2026-03-02',
        '2026-03-02T10:00:00.123Z',
        3,
        9007199254740993n,
        0.25,
        1.5,
        true,
        'Größe "=1"',
        '2026-03-02 10:00:00',
        [1, 2],
      ],
      ['1969-12-31', '1969-12-31T23:59:59.999Z', -3, -7, -0.5, -1, false, '', '1969-12-31 23:59:59.5', []],
      Object.keys(columns).map(() => null),
    ]),
  );
  expect(names).toEqual(Object.keys(columns));
  expect(types).toEqual([
    'DATE',
    'TIMESTAMP WITH TIME ZONE',
    'INTEGER',
    'BIGINT',
    'DOUBLE',
    'DOUBLE',
    'BOOLEAN',
    'VARCHAR',
    'TIMESTAMP',
    'VARCHAR',
  ]);
  expect(rows).toEqual([
    [
      '2026-03-02',
      '2026-03-02 10:00:00.123+00',
      3,
      '9007199254740993',
      0.25,
      1.5,
      true,
      'Größe "=1"',
      '2026-03-02 10:00:00',
      '[1,2]',
    ],
    ['1969-12-31', '1969-12-31 23:59:59.999+00', -3, '-7', -0.5, -1, false, '', '1969-12-31 23:59:59.5', '[]'],
    Object.keys(columns).map(() => null),
  ]);
});

test('a long answer is written group by group, and whole', async () => {
  const rows = Array.from({ length: 45_678 }, (_, n) => [n, `source ${n % 7}`, n % 3 === 0 ? null : n / 4]);
  const long = {
    columns: ['n', 'source', 'quarter'],
    types: [postgres.INTEGER, postgres.TEXT, postgres.DOUBLE_PRECISION],
    rows,
  };
  const { rows: found } = await readBack(
    long,
    `SELECT count(*), count(DISTINCT n), min(n), max(n), count(quarter), sum(quarter), count(DISTINCT source) FROM file
      WHERE source = 'source ' || n % 7 AND (quarter IS NULL) = (n % 3 = 0)`,
  );
  const quarters = rows.flatMap(([, , quarter]) => (quarter === null ? [] : [quarter as number]));
  const sum = quarters.reduce((total, quarter) => total + quarter, 0);
  expect(found).toEqual([['45678', '45678', 0, 45_677, String(quarters.length), sum, '7']]);
});

test('a list keeps the digits of its numbers, and a number with more digits than a double is the nearest double', async () => {
  const rows = [
    [[9007199254740993n, Number.NaN], '0.33333333333333333333'],
    [[null], 9007199254740993n],
  ];
  const long = { columns: ['list', 'number'], types: [1016, postgres.NUMERIC], rows };
  expect((await readBack(long)).rows).toEqual([
    ['["9007199254740993","NaN"]', 0.3333333333333333],
    ['[null]', 9007199254740992],
  ]);
});

test('an empty answer is a file with columns and no rows', async () => {
  const { types, rows } = await readBack(answer([]));
  expect(types).toHaveLength(Object.keys(columns).length);
  expect(rows).toEqual([]);
});

test('years are those that were written, also the first ones and those of five digits', async () => {
  const types = [postgres.DATE, postgres.TIMESTAMP, postgres.TIMESTAMPTZ];
  const days = (day: string, instant = day) => [day, `${day} 10:00:00.123456`, `${instant}T10:00:00.123Z`];
  const rows = [days('0001-01-01'), days('0044-03-15'), days('9999-12-31'), days('20000-02-29', '+020000-02-29')];
  const { rows: found } = await readBack({ columns: ['day', 'local', 'at'], types, rows });
  const read = (day: string) => [day, `${day} 10:00:00.123`, `${day} 10:00:00.123+00`];
  expect(found).toEqual([read('0001-01-01'), read('0044-03-15'), read('9999-12-31'), read('20000-02-29')]);
});

test.each([
  [postgres.TIMESTAMPTZ, 'infinity'],
  [postgres.TIMESTAMPTZ, '0044-03-15 00:00:00+00 BC'],
  [postgres.TIMESTAMP, '-infinity'],
  [postgres.TIMESTAMP, '0044-03-15 10:00:00 BC'],
  [postgres.TIMESTAMP, '294276-01-01 00:00:00'],
  [postgres.DATE, '0044-03-15 BC'],
])('of type %s, %s is refused with the name of its column', async (type, written) => {
  const reason = `until: ${written} cannot be written to a Parquet file; cast it to text, or leave it out`;
  await expect(readBack({ columns: ['until'], types: [type], rows: [[written]] })).rejects.toThrow(
    new CommandFailed(reason),
  );
});
