import { hash } from 'node:crypto';
import { sql } from 'kysely';
import type { Tx } from './model.ts';

/** Where the views are that analysts read, and the role that may read nothing else. */
export const ANALYTICS = 'analytics';
export const ANALYST = 'leadger_analyst';

/** The SQL names tables as `{model.table}`. A view does not use other views. */
interface ViewDefinition {
  readonly name: string;
  readonly sql: string;
}

/** Makes the views that are missing or out of date. Called in each transaction that creates or drops tables. */
export type RenewViews = (tx: Tx) => Promise<void>;

const TABLE = /\{(\w+)\.(\w+)\}/g;

/** @param schemaOf the schema with the live tables of a model */
export function viewsOn(definitions: readonly ViewDefinition[], schemaOf: (model: string) => string): RenewViews {
  const statements = definitions.map(({ name, sql }) => statementOf(name, sql, schemaOf));
  const schemas = new Set(
    definitions.flatMap(({ sql }) => [...sql.matchAll(TABLE)].map(([, model]) => schemaOf(model as string))),
  );
  const stamp = hash('sha256', statements.join('\n'));

  return async (tx) => {
    await sql`CREATE SCHEMA IF NOT EXISTS ${sql.id(ANALYTICS)}`.execute(tx);
    if (!(await exist(tx, schemas)) || (await areThere(tx, definitions.length, stamp))) return;
    // The schema itself is not dropped: the privileges granted in it stay.
    const { rows } = await sql<{ name: string }>`
      SELECT viewname AS name FROM pg_views WHERE schemaname = ${ANALYTICS}`.execute(tx);
    for (const { name } of rows) await sql`DROP VIEW ${sql.id(ANALYTICS, name)} CASCADE`.execute(tx);
    for (const statement of statements) await sql.raw(statement).execute(tx);
    await sql`COMMENT ON SCHEMA ${sql.id(ANALYTICS)} IS ${sql.lit(stamp)}`.execute(tx);
    await letAnalystsRead(tx);
  };
}

/** Each row has the position of the table that is the furthest behind. */
function statementOf(name: string, definition: string, schemaOf: (model: string) => string): string {
  const models = new Set([...definition.matchAll(TABLE)].map(([, model]) => model as string));
  const schemas = [...models].map((model) => `'${schemaOf(model)}'`).join(', ');
  const body = definition.replaceAll(TABLE, (_, model: string, table: string) => `${schemaOf(model)}.${table}`);
  return `CREATE VIEW ${ANALYTICS}.${name} AS SELECT answer.*, (
    SELECT min(position COLLATE "C") FROM read_models.copies WHERE schema IN (${schemas})) AS log_position
    FROM (${body}) AS answer`;
}

/** Tables are made one model after the other: the views are made with the last. */
async function exist(tx: Tx, schemas: ReadonlySet<string>): Promise<boolean> {
  const { rows } = await sql<{ count: number }>`
    SELECT count(*)::int AS count FROM pg_namespace WHERE nspname = ANY(${[...schemas]})`.execute(tx);
  return rows[0]?.count === schemas.size;
}

/** A view is dropped with any of its tables; a changed definition has another stamp. */
async function areThere(tx: Tx, count: number, stamp: string): Promise<boolean> {
  const { rows } = await sql<{ count: number; stamp: string | null }>`
    SELECT (SELECT count(*)::int FROM pg_views WHERE schemaname = ${ANALYTICS}) AS count,
      (SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = ${ANALYTICS}) AS stamp`.execute(
    tx,
  );
  return rows[0]?.count === count && rows[0].stamp === stamp;
}

/**
 * Roles belong to a whole server, so two databases may create it at once. A user who may not create roles continues
 * without it: then `leadger query` explains who must create it.
 */
const letAnalystsRead = (tx: Tx) =>
  sql
    .raw(`
  DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${ANALYST}') THEN
      BEGIN
        CREATE ROLE ${ANALYST} NOLOGIN;
        EXECUTE format('GRANT ${ANALYST} TO %I', current_user);
      EXCEPTION WHEN duplicate_object OR unique_violation OR insufficient_privilege THEN NULL;
      END;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = '${ANALYST}') THEN
      GRANT USAGE ON SCHEMA ${ANALYTICS} TO ${ANALYST};
      GRANT SELECT ON ALL TABLES IN SCHEMA ${ANALYTICS} TO ${ANALYST};
    END IF;
  END $$`)
    .execute(tx);
