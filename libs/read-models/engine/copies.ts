import { type RawBuilder, sql, type Transaction } from 'kysely';
import { z } from 'zod';
import { storableTexts } from '#domain/kernel/text';
import { BEFORE_FIRST, type Landmark, type Position } from '#event-store/port';
import { createForeignRegister } from './foreign-register.ts';
import { type AnyModel, createTables, type Db, type Tx } from './model.ts';
import type { RenewViews } from './views.ts';

export type VersionedModel = AnyModel & {
  /** Another one whenever the tables, the events or the rows made of them are others (see version.ts). */
  readonly version: string;
};

/** The tables of one model, in a schema of their own: the live ones, or those that are being built to replace them. */
export interface Copy {
  readonly model: VersionedModel;
  readonly schema: string;
}

/** A program reads the tables of its own version. Those of another version are kept as a second set of tables. */
export const liveCopy = (model: VersionedModel): Copy => ({ model, schema: `${model.name}_${model.version}` });
export const nextCopy = (model: VersionedModel): Copy => ({ model, schema: `${liveCopy(model).schema}_next` });

/** An event and its place in the log. */
export interface Seen extends Landmark {
  readonly stream: string;
  readonly revision: number;
}

/** How far a copy has come, and in which log. */
export interface Checkpoint {
  readonly position: Position;
  readonly log: string;
  /** Raised when another program changes the copy: then its follower has to read the checkpoint again. */
  readonly epoch: number;
  readonly paused: boolean;
  /** True once it has reached the end that the log had when the copy was made. Before that it does not answer: rows are missing. */
  readonly whole: boolean;
  /** The last event that it took. A log that was restored and has grown since has another event in that place. */
  readonly seen: Seen | null;
}

/** The log as it is now. */
export interface LogNow {
  readonly log: string;
  readonly head: Position;
}

/** A stream with an event that a model could not take: that event and all later ones of the stream are left out. */
export const parkedStream = z.object({
  stream: z.string().describe('The stream whose events are left out.'),
  revision: z.int().describe('The first event that is left out: it could not be applied.'),
  reason: z.string().describe('Why it could not be applied.'),
});
export type ParkedStream = Readonly<z.infer<typeof parkedStream>>;

const REGISTER = 'read_models';
export const registerTables = [`${REGISTER}.copies`, `${REGISTER}.parked`] as const;
const [copies, parked] = registerTables.map((name) => sql.table(name)) as [RawBuilder<unknown>, RawBuilder<unknown>];

/** Programs that start at the same time must not make the same tables. No other lock has this number. */
const lockTables = (tx: Transaction<unknown> | Tx) => sql`SELECT pg_advisory_xact_lock(4709217)`.execute(tx);

/** The register of all copies. A checkpoint is written in the transaction that writes the rows. */
export const createRegister = (db: Db): Promise<void> =>
  db.transaction().execute(async (tx) => {
    await lockTables(tx);
    await sql`CREATE SCHEMA IF NOT EXISTS ${sql.id(REGISTER)}`.execute(tx);
    await sql`CREATE TABLE IF NOT EXISTS ${copies} (
      schema text PRIMARY KEY, model text NOT NULL, position text NOT NULL, log text NOT NULL)`.execute(tx);
    // Registers of earlier versions do not have these columns; their copies were whole.
    await sql`ALTER TABLE ${copies} ADD COLUMN IF NOT EXISTS epoch integer NOT NULL DEFAULT 0,
      ADD COLUMN IF NOT EXISTS paused boolean NOT NULL DEFAULT false,
      ADD COLUMN IF NOT EXISTS whole boolean NOT NULL DEFAULT true,
      ADD COLUMN IF NOT EXISTS used_at timestamptz NOT NULL DEFAULT now(),
      ADD COLUMN IF NOT EXISTS seen jsonb`.execute(tx);
    await sql`CREATE TABLE IF NOT EXISTS ${parked} (
      schema text NOT NULL, stream text NOT NULL, revision integer NOT NULL, reason text NOT NULL,
      PRIMARY KEY (schema, stream))`.execute(tx);
    await createForeignRegister(tx);
  });

/** Makes the empty tables of a copy where there are none yet. */
export const ensureCopy = (db: Db, copy: Copy, now: LogNow): Promise<void> =>
  db.transaction().execute(async (tx) => {
    await lockTables(tx);
    if (!(await checkpointOf(tx, copy))) await makeEmpty(tx, copy, now);
  });

/** Drops the tables of a copy with the views on them, and makes new ones. */
export const emptyCopy = (db: Db, copy: Copy, now: LogNow, renewViews: RenewViews): Promise<void> =>
  db.transaction().execute(async (tx) => {
    await lockTables(tx);
    await makeEmpty(tx, copy, now);
    await renewViews(tx);
  });

/** Makes the views once all their tables exist. */
export const ensureViews = (db: Db, renewViews: RenewViews): Promise<void> =>
  db.transaction().execute(async (tx) => {
    await lockTables(tx);
    await renewViews(tx);
  });

/** A copy that has taken no event has no rows, and may follow any log. */
export const takeEmptyCopy = (db: Db, { schema }: Copy, { log, head }: LogNow) =>
  sql`UPDATE ${copies} SET log = ${log}, whole = ${head === BEFORE_FIRST}, epoch = epoch + 1, used_at = now()
    WHERE schema = ${schema} AND log <> ${log} AND position = ${BEFORE_FIRST}`.execute(db);

async function makeEmpty(tx: Tx, { model, schema }: Copy, { log, head }: LogNow): Promise<void> {
  await createTables(tx, schema, model.tables);
  await sql`DELETE FROM ${parked} WHERE schema = ${schema}`.execute(tx);
  await sql`INSERT INTO ${copies} (schema, model, position, log, whole)
    VALUES (${schema}, ${model.name}, ${BEFORE_FIRST}, ${log}, ${head === BEFORE_FIRST})
    ON CONFLICT (schema) DO UPDATE SET position = excluded.position, log = excluded.log, whole = excluded.whole,
      seen = NULL, epoch = copies.epoch + 1, used_at = now()`.execute(tx);
}

export async function checkpointOf(db: Db | Tx, { schema }: Copy): Promise<Checkpoint | undefined> {
  const { rows } = await sql<Checkpoint>`
    SELECT position, log, epoch, paused, whole, seen FROM ${copies} WHERE schema = ${schema}`.execute(db);
  return rows[0];
}

/** The checkpoints of several copies at once, by schema. */
export async function checkpointsOf(db: Db, schemas: readonly string[]): Promise<ReadonlyMap<string, Checkpoint>> {
  const { rows } = await sql<Checkpoint & { schema: string }>`
    SELECT schema, position, log, epoch, paused, whole, seen FROM ${copies} WHERE schema = ANY(${[...schemas]})`.execute(
    db,
  );
  return new Map(rows.map((row) => [row.schema, row]));
}

/**
 * Moves a checkpoint from the position that the writer knows. The first writer locks the row until the end of its
 * transaction; a second one then finds that the checkpoint has moved.
 * @returns false when another program moved it
 */
export async function moveCheckpoint(
  tx: Tx,
  { schema }: Copy,
  from: Pick<Checkpoint, 'position' | 'epoch'>,
  { position, seen }: Pick<Checkpoint, 'position' | 'seen'>,
): Promise<boolean> {
  const { numAffectedRows } = await sql`
    UPDATE ${copies} SET position = ${position}, seen = ${seen && JSON.stringify(seen)}::jsonb
    WHERE schema = ${schema} AND position = ${from.position} AND epoch = ${from.epoch}`.execute(tx);
  return numAffectedRows === 1n;
}

/** Of a log that was cut before the position of a checkpoint. The follower of the copy has to read it again. */
export const moveCheckpointBack = (
  db: Db,
  { schema }: Copy,
  { position, epoch }: Pick<Checkpoint, 'position' | 'epoch'>,
  back: Position,
) =>
  sql`UPDATE ${copies} SET position = ${back}, epoch = epoch + 1
    WHERE schema = ${schema} AND position = ${position} AND epoch = ${epoch}`.execute(db);

/** The last events that the copies of a log took: its landmarks. */
export async function landmarksIn(db: Db, log: string): Promise<readonly Landmark[]> {
  const { rows } = await sql<{ seen: Landmark }>`
    SELECT seen FROM ${copies} WHERE log = ${log} AND seen IS NOT NULL`.execute(db);
  return rows.map(({ seen }) => seen);
}

/** From now on the copy answers. */
export const becomeWhole = (db: Db, { schema }: Copy) =>
  sql`UPDATE ${copies} SET whole = true WHERE schema = ${schema}`.execute(db);

/** How many rows a copy had when the database counted them last. */
export async function rowsKnownIn(db: Db, { schema }: Copy): Promise<number> {
  const { rows } = await sql<{ known: number }>`
    SELECT coalesce(sum(greatest(reltuples, 0)), 0)::double precision AS known
    FROM pg_class WHERE relkind = 'r' AND relnamespace = to_regnamespace(${schema})`.execute(db);
  return (rows[0] as { known: number }).known;
}

/** A paused copy stays as it is: its follower waits. */
export const setPaused = (db: Db, { schema }: Copy, paused: boolean) =>
  sql`UPDATE ${copies} SET paused = ${paused}, epoch = epoch + 1
    WHERE schema = ${schema} AND paused <> ${paused}`.execute(db);

/** Locks a copy until the transaction ends. Its follower then has to read the checkpoint again. */
export async function holdCopy(tx: Tx, { schema }: Copy): Promise<Position> {
  const { rows } = await sql<{ position: Position }>`
    UPDATE ${copies} SET epoch = epoch + 1 WHERE schema = ${schema} RETURNING position`.execute(tx);
  return (rows[0] as { position: Position }).position;
}

/** Registers that these copies are in use, so that programs of other versions do not drop them. */
export const useCopies = (db: Db, schemas: readonly string[]) =>
  sql`UPDATE ${copies} SET used_at = now() WHERE schema = ANY(${[...schemas]})`.execute(db);

/** Drops the copies of a model's other versions that no program has used for so long, once the live one is whole. */
export const dropOldCopies = (db: Db, model: VersionedModel, unusedSeconds: number): Promise<void> =>
  db.transaction().execute(async (tx) => {
    await lockTables(tx);
    if (!(await checkpointOf(tx, liveCopy(model)))?.whole) return;
    const own = [liveCopy(model), nextCopy(model)].map(({ schema }) => schema);
    const { rows } = await sql<{ schema: string }>`
      SELECT schema FROM ${copies} WHERE model = ${model.name} AND schema <> ALL(${own})
        AND used_at <= now() - make_interval(secs => ${unusedSeconds})`.execute(tx);
    for (const { schema } of rows) {
      for (const register of [copies, parked]) await sql`DELETE FROM ${register} WHERE schema = ${schema}`.execute(tx);
      await sql`DROP SCHEMA IF EXISTS ${sql.id(schema)} CASCADE`.execute(tx);
    }
  });

export async function parkedIn(db: Db | Tx, { schema }: Copy): Promise<ParkedStream[]> {
  const { rows } = await sql<ParkedStream>`
    SELECT stream, revision, reason FROM ${parked} WHERE schema = ${schema} ORDER BY stream`.execute(db);
  return rows;
}

export const park = (tx: Tx, { schema }: Copy, { stream, revision, reason }: ParkedStream) =>
  sql`INSERT INTO ${parked} (schema, stream, revision, reason)
    VALUES (${schema}, ${storableTexts(stream)}, ${revision}, ${storableTexts(reason)})
    ON CONFLICT (schema, stream) DO UPDATE SET revision = excluded.revision, reason = excluded.reason`.execute(tx);

export const unpark = (tx: Tx, { schema }: Copy, streams: readonly string[]) =>
  sql`DELETE FROM ${parked} WHERE schema = ${schema} AND stream = ANY(${[...streams]})`.execute(tx);

/**
 * Replaces the live copy of a model by the next one, at the same moment for all readers. The follower of the live copy
 * finds that its checkpoint was moved.
 * @returns the position of the live copy if the next one has not reached it: then nothing was changed
 */
export const switchCopies = (db: Db, model: VersionedModel, renewViews: RenewViews): Promise<Position | undefined> =>
  db.transaction().execute(async (tx) => {
    await lockTables(tx);
    const [live, next] = [liveCopy(model), nextCopy(model)];
    const [was, is] = [(await lockedCheckpoint(tx, live)) as Checkpoint, await lockedCheckpoint(tx, next)];
    // Another program rebuilt it at the same time, and was first.
    if (!is) return undefined;
    if (is.position < was.position) return was.position;
    await replaceSchema(tx, live, next);
    await sql`UPDATE ${copies} SET epoch = ${was.epoch + 1}, paused = ${was.paused}, whole = true, used_at = now()
      WHERE schema = ${live.schema}`.execute(tx);
    await renewViews(tx);
    return undefined;
  });

async function lockedCheckpoint(tx: Tx, { schema }: Copy): Promise<Checkpoint | undefined> {
  const { rows } = await sql<Checkpoint>`
    SELECT position, epoch, paused FROM ${copies} WHERE schema = ${schema} FOR UPDATE`.execute(tx);
  return rows[0];
}

/** The next copy takes the name of the live one, which is dropped. */
async function replaceSchema(tx: Tx, live: Copy, next: Copy): Promise<void> {
  await sql`DROP SCHEMA ${sql.id(live.schema)} CASCADE`.execute(tx);
  await sql`ALTER SCHEMA ${sql.id(next.schema)} RENAME TO ${sql.id(live.schema)}`.execute(tx);
  for (const register of [copies, parked]) {
    await sql`DELETE FROM ${register} WHERE schema = ${live.schema}`.execute(tx);
    await sql`UPDATE ${register} SET schema = ${live.schema} WHERE schema = ${next.schema}`.execute(tx);
  }
}
