import { sql, type Transaction } from 'kysely';
import { BEFORE_FIRST, type Position } from '#event-store/port';
import { createTables, type Db, type Model, type Tx } from './model.ts';
import type { RenewViews } from './views.ts';

// biome-ignore lint/suspicious/noExplicitAny: each model knows its own facts; the engine only carries them
export type AnyModel = Model<any>;

/** The tables of one model, in a schema of their own: the live ones, or those that are being built to take their place. */
export interface Copy {
  readonly model: AnyModel;
  readonly schema: string;
}

/** A program reads the tables of its own version; another version has others beside them. */
export const liveCopy = (model: AnyModel): Copy => ({ model, schema: `${model.name}_v${model.version}` });
export const nextCopy = (model: AnyModel): Copy => ({ model, schema: `${liveCopy(model).schema}_next` });

/** How far a copy has come, and in which log. */
export interface Checkpoint {
  readonly position: Position;
  readonly log: string;
}

/** A stream of which a model could not take an event: that one and all after it are left out, and named. */
export interface ParkedStream {
  readonly stream: string;
  readonly revision: number;
  readonly reason: string;
}

const REGISTER = 'read_models';
const copies = sql.table(`${REGISTER}.copies`);
const parked = sql.table(`${REGISTER}.parked`);

/** Programs that begin at once must not make the same tables. The number is ours alone. */
const makingTables = (tx: Transaction<unknown> | Tx) => sql`SELECT pg_advisory_xact_lock(4709217)`.execute(tx);

/** The register of all copies. A checkpoint is written in the transaction that writes the rows. */
export const createRegister = (db: Db): Promise<void> =>
  db.transaction().execute(async (tx) => {
    await makingTables(tx);
    await sql`CREATE SCHEMA IF NOT EXISTS ${sql.id(REGISTER)}`.execute(tx);
    await sql`CREATE TABLE IF NOT EXISTS ${copies} (
      schema text PRIMARY KEY, model text NOT NULL, position text NOT NULL, log text NOT NULL)`.execute(tx);
    await sql`CREATE TABLE IF NOT EXISTS ${parked} (
      schema text NOT NULL, stream text NOT NULL, revision integer NOT NULL, reason text NOT NULL,
      PRIMARY KEY (schema, stream))`.execute(tx);
  });

/** Makes the empty tables of a copy where there are none yet. */
export const ensureCopy = (db: Db, copy: Copy, log: string): Promise<void> =>
  db.transaction().execute(async (tx) => {
    await makingTables(tx);
    if (!(await checkpointOf(tx, copy))) await makeEmpty(tx, copy, log);
  });

/** Throws away what a copy holds. Views on its tables go with them, and come back with the new ones. */
export const emptyCopy = (db: Db, copy: Copy, log: string, renewViews: RenewViews): Promise<void> =>
  db.transaction().execute(async (tx) => {
    await makingTables(tx);
    await makeEmpty(tx, copy, log);
    await renewViews(tx);
  });

/** Makes the views once there are tables for all of them. */
export const ensureViews = (db: Db, renewViews: RenewViews): Promise<void> =>
  db.transaction().execute(async (tx) => {
    await makingTables(tx);
    await renewViews(tx);
  });

async function makeEmpty(tx: Tx, { model, schema }: Copy, log: string): Promise<void> {
  await createTables(tx, schema, model.tables);
  await sql`DELETE FROM ${parked} WHERE schema = ${schema}`.execute(tx);
  await sql`INSERT INTO ${copies} (schema, model, position, log) VALUES (${schema}, ${model.name}, ${BEFORE_FIRST}, ${log})
    ON CONFLICT (schema) DO UPDATE SET position = excluded.position, log = excluded.log`.execute(tx);
}

export async function checkpointOf(db: Db | Tx, { schema }: Copy): Promise<Checkpoint | undefined> {
  const { rows } = await sql<Checkpoint>`SELECT position, log FROM ${copies} WHERE schema = ${schema}`.execute(db);
  return rows[0];
}

/** The positions of several copies at once, by schema. */
export async function positionsOf(db: Db, schemas: readonly string[]): Promise<ReadonlyMap<string, Position>> {
  const { rows } = await sql<{ schema: string; position: Position }>`
    SELECT schema, position FROM ${copies} WHERE schema = ANY(${[...schemas]})`.execute(db);
  return new Map(rows.map(({ schema, position }) => [schema, position]));
}

/**
 * Moves a checkpoint from where the writer believes it to be. Whoever comes first holds the row until the end of its
 * transaction; the other finds that the checkpoint has moved.
 * @returns false when somebody else moved it
 */
export async function moveCheckpoint(tx: Tx, { schema }: Copy, from: Position, to: Position): Promise<boolean> {
  const { numAffectedRows } = await sql`
    UPDATE ${copies} SET position = ${to} WHERE schema = ${schema} AND position = ${from}`.execute(tx);
  return numAffectedRows === 1n;
}

export async function parkedIn(db: Db, { schema }: Copy): Promise<readonly ParkedStream[]> {
  const { rows } = await sql<ParkedStream>`
    SELECT stream, revision, reason FROM ${parked} WHERE schema = ${schema} ORDER BY stream`.execute(db);
  return rows;
}

export const park = (tx: Tx, { schema }: Copy, { stream, revision, reason }: ParkedStream) =>
  sql`INSERT INTO ${parked} (schema, stream, revision, reason)
    VALUES (${schema}, ${stream}, ${revision}, ${reason})`.execute(tx);

/**
 * Puts the next copy of a model in the place of the live one, at once for all who read. Whoever follows the live one
 * finds its checkpoint moved.
 * @returns the position of the live copy when the next one is not that far yet: nothing was done
 */
export const switchCopies = (db: Db, model: AnyModel, renewViews: RenewViews): Promise<Position | undefined> =>
  db.transaction().execute(async (tx) => {
    await makingTables(tx);
    const [live, next] = [liveCopy(model), nextCopy(model)];
    const positionNow = async ({ schema }: Copy) => {
      const { rows } = await sql<{ position: Position }>`
        SELECT position FROM ${copies} WHERE schema = ${schema} FOR UPDATE`.execute(tx);
      return (rows[0] as { position: Position }).position;
    };
    const [liveAt, nextAt] = [await positionNow(live), await positionNow(next)];
    if (nextAt < liveAt) return liveAt;
    await sql`DROP SCHEMA ${sql.id(live.schema)} CASCADE`.execute(tx);
    await sql`ALTER SCHEMA ${sql.id(next.schema)} RENAME TO ${sql.id(live.schema)}`.execute(tx);
    for (const register of [copies, parked]) {
      await sql`DELETE FROM ${register} WHERE schema = ${live.schema}`.execute(tx);
      await sql`UPDATE ${register} SET schema = ${live.schema} WHERE schema = ${next.schema}`.execute(tx);
    }
    await renewViews(tx);
    return undefined;
  });
