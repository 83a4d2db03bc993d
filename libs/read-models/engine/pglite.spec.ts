import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kysely, sql } from 'kysely';
import type { AnalystConnection } from './analysis.ts';
import { openEmbeddedDatabase } from './embedded-database.ts';
import type { Db } from './model.ts';
import { ColumnNames } from './names.ts';

let db: Db;
let directory: string;
let connect: (timeoutMilliseconds: number) => Promise<AnalystConnection>;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'leadger-pglite-'));
  const database = await openEmbeddedDatabase(directory);
  const { dialect } = database;
  connect = database.connect;
  db = new Kysely({ dialect, plugins: [new ColumnNames()] });
  await sql`CREATE TABLE things (thing_id text, how_many integer)`.execute(db);
  await sql`INSERT INTO things VALUES ('a', 1)`.execute(db);
});
afterEach(async () => {
  await db.destroy();
  await rm(directory, { recursive: true });
});

const all = (from: Pick<Db, 'selectFrom'> = db) => from.selectFrom('things').selectAll().execute();
const setTo = (number: number, at: Db = db) => sql`UPDATE things SET how_many = ${number}`.execute(at);

test('rows have camel-case names, and a repeated query returns the current rows', async () => {
  expect(await all()).toEqual([{ thingId: 'a', howMany: 1 }]);
  expect(await all()).toEqual([{ thingId: 'a', howMany: 1 }]);
  await setTo(2);
  expect(await all()).toEqual([{ thingId: 'a', howMany: 2 }]);
});

test('what a rolled-back transaction read is not returned to others', async () => {
  expect(await all()).toMatchObject([{ howMany: 1 }]);
  const transaction = db.transaction().execute(async (tx) => {
    await setTo(2, tx);
    expect(await all(tx)).toMatchObject([{ howMany: 2 }]);
    throw new Error('given up');
  });
  const meanwhile = all();
  await expect(transaction).rejects.toThrow('given up');
  expect(await meanwhile).toMatchObject([{ howMany: 1 }]);
  expect(await all()).toMatchObject([{ howMany: 1 }]);
});

test('a transaction is atomic even if its first query was answered before', async () => {
  await all();
  const transaction = db.transaction().execute(async (tx) => {
    await all(tx);
    await setTo(2, tx);
    throw new Error('given up');
  });
  await expect(transaction).rejects.toThrow('given up');
  expect(await all()).toMatchObject([{ howMany: 1 }]);
});

test('the answer of a query that runs at the same time as a change is not cached', async () => {
  const [before] = await Promise.all([all(), setTo(2)]);
  expect(before).toMatchObject([{ howMany: 1 }]);
  expect(await all()).toMatchObject([{ howMany: 2 }]);
});

test('with many concurrent queries and transactions, each transaction is atomic, also when it is rolled back', async () => {
  const counted = (giveUp: boolean) =>
    db.transaction().execute(async (tx) => {
      const [row] = (await all(tx)) as { howMany: number }[];
      const next = (row?.howMany as number) + 1;
      await setTo(next, tx);
      expect(await all(tx)).toMatchObject([{ howMany: next }]);
      if (giveUp) throw new Error('given up');
    });
  const answers = await Promise.allSettled(
    Array.from({ length: 60 }, (_, number) => (number % 3 === 0 ? all() : counted(number % 3 === 1))),
  );
  expect(answers.filter(({ status }) => status === 'rejected')).toHaveLength(20);
  expect(await all()).toMatchObject([{ howMany: 21 }]);
});

test('a caller that changes a row of an answer does not change the next answer', async () => {
  const [row] = (await all()) as { howMany: number }[];
  expect(() => {
    (row as { howMany: number }).howMany = 5;
  }).toThrow(TypeError);
  expect(await all()).toMatchObject([{ howMany: 1 }]);
});

test('a failed query is run again', async () => {
  const missing = () => db.selectFrom('others').selectAll().execute();
  await expect(missing()).rejects.toThrow('does not exist');
  await sql`CREATE TABLE others (other_id text)`.execute(db);
  expect(await missing()).toEqual([]);
});

test('after a statement that took too long, every call fails with that reason, and none waits', async () => {
  const { ask, close } = await connect(200);
  const waiting = all();
  await expect(ask('SELECT pg_sleep(30)')).rejects.toMatchObject({ sqlState: '57014' });
  await close();
  await expect(connect(200)).rejects.toThrow('took too long');
  for (const asked of [waiting, all(), db.transaction().execute((tx) => setTo(2, tx))])
    await expect(asked).rejects.toThrow('took too long');
});

test('a new database takes more than one segment of its write-ahead log, and has it all after it was reopened', async () => {
  await sql`INSERT INTO things SELECT repeat(md5(i::text), 60), i FROM generate_series(1, 12000) AS i`.execute(db);
  await db.destroy();
  const again = await openEmbeddedDatabase(directory);
  db = new Kysely({ dialect: again.dialect, plugins: [new ColumnNames()] });
  const { rows } = await sql`SELECT count(*)::int AS count, sum(length(thing_id))::int AS letters FROM things`.execute(
    db,
  );
  expect(rows).toEqual([{ count: 12_001, letters: 12_000 * 32 * 60 + 1 }]);
});
