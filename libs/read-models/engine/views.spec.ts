import { CamelCasePlugin, Kysely, sql } from 'kysely';
import { openEmbeddedDatabase } from './embedded-database.ts';
import type { Db } from './model.ts';
import { viewsOn } from './views.ts';

let db: Db;
beforeAll(async () => {
  const { dialect } = await openEmbeddedDatabase(undefined);
  db = new Kysely({ dialect, plugins: [new CamelCasePlugin()] });
  const statements = [
    'CREATE SCHEMA read_models',
    'CREATE TABLE read_models.copies (schema text, position text)',
    "INSERT INTO read_models.copies VALUES ('things_v1', '7')",
    'CREATE SCHEMA things_v1',
    'CREATE TABLE things_v1.things AS SELECT 2 AS one, 3 AS other',
    'CREATE ROLE visitor',
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
});
afterAll(() => db.destroy());

const define = (...definitions: [name: string, sql: string][]) =>
  db.transaction().execute(
    viewsOn(
      definitions.map(([name, sql]) => ({ name, sql })),
      (model) => `${model}_v1`,
    ),
  );
const asRole = (role: string, query: string) =>
  db.transaction().execute(async (tx) => {
    await sql.raw(`SET LOCAL ROLE ${role}`).execute(tx);
    return (await sql.raw(query).execute(tx)).rows;
  });
const numberOf = async (view: string) =>
  (await sql<{ oid: number }>`SELECT ${view}::regclass::oid::int AS oid`.execute(db)).rows[0]?.oid;

test('a view whose definition changed replaces the old one and keeps its grants', async () => {
  await define(['things', 'SELECT one FROM {things.things}'], ['gone', 'SELECT other FROM {things.things}']);
  await sql.raw('GRANT USAGE ON SCHEMA analytics TO visitor').execute(db);
  expect(await asRole('leadger_analyst', 'SELECT * FROM analytics.things')).toEqual([{ one: 2, logPosition: '7' }]);

  await define(['things', "SELECT one * 10 AS tens, 'new' AS word FROM {things.things}"]);
  expect(await asRole('leadger_analyst', 'SELECT * FROM analytics.things')).toEqual([
    { tens: 20, word: 'new', logPosition: '7' },
  ]);
  await expect(asRole('leadger_analyst', 'SELECT * FROM analytics.gone')).rejects.toThrow('does not exist');
  expect(await asRole('visitor', "SELECT has_schema_privilege('analytics', 'USAGE') AS may")).toEqual([{ may: true }]);
});

test('views that are up to date are not changed', async () => {
  const same = ['things', 'SELECT other FROM {things.things}'] as [string, string];
  await define(same);
  const before = await numberOf('analytics.things');
  await define(same);
  expect(await numberOf('analytics.things')).toBe(before);
});
