import { hashOfEvent } from '../event-hash.ts';
import { CannotOpenStore, DamagedEvent, type RecordedEvent } from '../port.ts';
import type { SqliteReader } from '../sqlite-reader.ts';

/** @throws DamagedEvent */
export function mustBeAsWritten(event: RecordedEvent & Required<Pick<RecordedEvent, 'hash'>>): void {
  if (Buffer.compare(event.hash, hashOfEvent(event)) !== 0) throw new DamagedEvent(event);
}

/**
 * Finds out whether the tables hold every event that was written, without reading one: each stream from its first revision
 * to the one it is at, and positions from 1 without a gap.
 * @throws CannotOpenStore
 */
export function mustBeComplete(database: SqliteReader, directory: string): void {
  const found = incompleteStream(database) ?? strayEvent(database) ?? gapInPositions(database);
  if (found === undefined) return;
  throw new CannotOpenStore('damaged', `${directory} is damaged: ${found}: restore the log from a backup`);
}

const INCOMPLETE_STREAM = `
  SELECT stream_id, name, streams.revision AS newest
  FROM streams LEFT JOIN events USING (stream_id)
  GROUP BY stream_id HAVING count(events.revision) <> newest + 1 OR max(events.revision) IS NOT newest
  LIMIT 1`;

function incompleteStream(database: SqliteReader): string | undefined {
  const found = database.get<{ stream_id: number; name: string; newest: number }>(INCOMPLETE_STREAM);
  if (!found) return undefined;
  const revisions = database.all<{ revision: number }>(
    'SELECT revision FROM events WHERE stream_id = ? ORDER BY revision',
    found.stream_id,
  );
  const gap = revisions.findIndex(({ revision }, index) => revision !== index);
  const missing = gap < 0 ? revisions.length : gap;
  return missing <= found.newest
    ? `${found.name}@${missing} is missing`
    : `${found.name} has events after @${found.newest}, which the log calls its newest one`;
}

function strayEvent(database: SqliteReader): string | undefined {
  const stray = database.get<{ position: number }>(
    'SELECT position FROM events WHERE stream_id NOT IN (SELECT stream_id FROM streams) LIMIT 1',
  );
  return stray && `the event at position ${stray.position} is of no stream`;
}

function gapInPositions(database: SqliteReader): string | undefined {
  const { events, head } = database.get<{ events: number; head: number }>(
    'SELECT count(*) AS events, ifnull(max(position), 0) AS head FROM events',
  ) as { events: number; head: number };
  return events === head ? undefined : `it holds ${events} events, and its positions go to ${head}`;
}
