import { sql } from 'kysely';
import type { EventStore, ForeignStream } from '#event-store/port';
import type { Db, Tx } from './model.ts';

const register = sql.table('read_models.foreign_streams');

/** What programs noticed of others in the log: so that it is known also after a start, and to programs that came later. */
export const createForeignRegister = (db: Tx) =>
  sql`CREATE TABLE IF NOT EXISTS ${register} (
    log text NOT NULL, stream text NOT NULL, revision integer NOT NULL, position text NOT NULL, id text NOT NULL,
    noticed_at timestamptz NOT NULL, PRIMARY KEY (log, stream))`.execute(db);

/** Registers what this program has noticed. */
export async function registerForeignStreams(db: Db, store: EventStore): Promise<void> {
  const log = await store.identity();
  for (const { stream, revision, position, id, noticedAt } of store.foreignStreams?.all() ?? [])
    await sql`INSERT INTO ${register} (log, stream, revision, position, id, noticed_at)
      VALUES (${log}, ${stream}, ${revision}, ${position}, ${id}, ${noticedAt}::timestamptz)
      ON CONFLICT (log, stream) DO NOTHING`.execute(db);
}

/** Makes register and memory the same. What the log has no more, as it was restored or the streams were removed, is forgotten. */
export async function shareForeignStreams(db: Db, store: EventStore): Promise<void> {
  const { foreignStreams } = store;
  if (!foreignStreams) return;
  await registerForeignStreams(db, store);
  const log = await store.identity();
  const { rows } = await sql<ForeignStream>`
    SELECT stream, revision, position, id, noticed_at AS "noticedAt" FROM ${register} WHERE log = ${log}`.execute(db);
  for (const found of rows) {
    const place = await store.placeAt(found.position);
    if (place.kind === 'event' && place.id === found.id) foreignStreams.note(found);
    else {
      foreignStreams.forget(found.stream);
      await sql`DELETE FROM ${register} WHERE log = ${log} AND stream = ${found.stream}`.execute(db);
    }
  }
}
