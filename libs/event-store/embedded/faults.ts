import type { SqliteReader } from '../sqlite-reader.ts';

/**
 * What contradicts itself in the tables of a log. Streams and events are read together, by stream, when a log is read, so what is
 * wrong between the two is never seen there. Each statement gives the faults of one kind, in a few words.
 */
const STATEMENTS: readonly string[] = [
  `SELECT name || ': it ends at revision ' || streams.revision || ', and its last event has '
       || coalesce('revision ' || max(events.revision), 'none')
     FROM streams LEFT JOIN events USING (stream_id)
     GROUP BY stream_id HAVING max(events.revision) IS NOT streams.revision`,
  `SELECT name || ': it has ' || count(*) || ' events up to revision ' || streams.revision
     FROM streams JOIN events USING (stream_id)
     GROUP BY stream_id HAVING max(events.revision) = streams.revision AND count(*) <> streams.revision + 1`,
  `SELECT 'position ' || position || ': its event belongs to no stream'
     FROM events WHERE stream_id NOT IN (SELECT stream_id FROM streams) ORDER BY position`,
  `SELECT 'position ' || position || ': ' || coalesce('the one before it is ' || before, 'it is the first one')
     FROM (SELECT position, lag(position) OVER (ORDER BY position) AS before FROM events)
     WHERE position <> coalesce(before, 0) + 1`,
  `SELECT 'identity: the log has none' WHERE NOT EXISTS (SELECT 1 FROM identity WHERE length(id) = 36)`,
];

export const faultsIn = (database: SqliteReader): readonly string[] =>
  STATEMENTS.flatMap((statement) => database.all<object>(statement).map((row) => String(Object.values(row)[0])));
