import { PGlite } from '@electric-sql/pglite';
import fc from 'fast-check';
import { Kysely } from 'kysely';
import { parsers } from './parsers.ts';
import { PgliteDialect, PgliteThread } from './pglite.ts';
import { PreparedStatements, rowsIn } from './prepared.ts';

let database: PGlite;
beforeAll(async () => {
  database = await PGlite.create({ parsers });
  await database.exec(`SET TIME ZONE 'UTC';
    CREATE TABLE things (name text, count integer, cents bigint, share double precision, good boolean, at timestamptz, day date, more jsonb);
    INSERT INTO things VALUES ('one', 1, 5000000000, 0.1, true, '2026-03-01 09:30:00.5+00', '2026-03-01', '{"a": [1, "é"]}'), (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);`);
});
afterEach(() => database.exec('DEALLOCATE ALL'));
afterAll(() => database.close());

async function rowsOf(statements: PreparedStatements, text: string, parameters: readonly unknown[]) {
  return rowsIn(await statements.query(text, parameters));
}

test('a value is stored unchanged, with any content', async () => {
  const statements = new PreparedStatements(database);
  const text = 'select $1::text as text, $2::integer as number, $3::boolean as truth';
  const strings = fc.oneof(
    fc.string({ unit: 'binary' }).filter((value) => !value.includes('\0')),
    fc.constantFrom("'", "''", "\\'", '$1', "'); DROP TABLE things; --"),
    fc.constant(null),
  );
  await fc.assert(
    fc.asyncProperty(strings, fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.boolean(), async (...values) => {
      const [string, number, truth] = values;
      expect(await rowsOf(statements, text, values)).toEqual([{ text: string, number, truth }]);
    }),
  );
});

test('a value that would end its statement early is sent as a parameter, and the database reports the error', async () => {
  const dialect = new PgliteDialect(await PgliteThread.start(undefined));
  const db = new Kysely<{ pg_class: { relname: string } }>({ dialect });
  const asked = (name: string) => db.selectFrom('pg_class').select('relname').where('relname', '=', name).execute();
  try {
    for (const value of ['\0', 'a\0b', `a\0'); DROP TABLE things; --`])
      await expect(asked(value)).rejects.toMatchObject({ sqlState: '22021' });
    expect(await asked('pg_class')).toEqual([{ relname: 'pg_class' }]);
  } finally {
    await db.destroy();
  }
});

test('rows are the same as those of an unprepared query', async () => {
  const statements = new PreparedStatements(database);
  for (const [text, parameters] of [
    ['select * from things order by name', []],
    ['select * from things where name = $1 limit $2', ['one', 5]],
    ['select * from things where (at, name) < ($1::timestamptz, $2)', ['2026-03-02T00:00:00.000Z', 'x']],
    ['select * from things where name = $1', ['none']],
  ] as const)
    expect(await rowsOf(statements, text, parameters)).toEqual((await database.query(text, [...parameters])).rows);
});

test('with many queries, the least recently used one is planned again, and all are answered', async () => {
  const statements = new PreparedStatements(database);
  const ask = async (number: number) =>
    expect(await rowsOf(statements, `select ${number} as answer`, [])).toEqual([{ answer: number }]);
  for (let number = 0; number < 250; number += 1) await ask(number);
  const { rows } = await database.query<{ count: number }>(
    `SELECT count(*)::integer FROM pg_prepared_statements WHERE statement LIKE '%as answer)%'`,
  );
  expect(rows[0]?.count).toBe(100);
  for (const number of [0, 249]) await ask(number);
});

test('a table that replaced another is the one that is read', async () => {
  const statements = new PreparedStatements(database);
  await database.exec('CREATE SCHEMA live; CREATE TABLE live.t (a integer); INSERT INTO live.t VALUES (1);');
  await database.exec('CREATE SCHEMA next; CREATE TABLE next.t (a integer); INSERT INTO next.t VALUES (2);');
  const ask = () => rowsOf(statements, 'select * from live.t', []);
  expect(await ask()).toEqual([{ a: 1 }]);
  await database.exec('BEGIN; DROP SCHEMA live CASCADE; ALTER SCHEMA next RENAME TO live; COMMIT;');
  expect(await ask()).toEqual([{ a: 2 }]);
});
