import { openAsBlob } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { parsers, parsersOfAnswers } from './parsers.ts';
import { type JsonRows, PreparedStatements } from './prepared.ts';

export interface Statement {
  readonly id: number;
  readonly sql: string;
  readonly parameters: readonly unknown[];
  /** Rows as lists of values for analysts, or as one text in JSON of a SELECT that is asked often; else as objects. */
  readonly as?: 'lists' | 'json';
  /** A transaction begins in front of it. */
  readonly begin?: true;
}

export type DatabaseReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'cannot-open'; readonly message: string }
  | {
      readonly kind: 'rows';
      readonly id: number;
      readonly rows: unknown[];
      readonly columns: string[];
      readonly types: number[];
      readonly affected: number;
    }
  | ({ readonly kind: 'json'; readonly id: number } & JsonRows)
  | { readonly kind: 'error'; readonly id: number; readonly message: string; readonly code: string | undefined }
  | { readonly kind: 'closed' };

/**
 * With the operating system's cache behind it, more buffers of its own are no faster (measured with 4 times as much).
 * They are touched one by one, so that memory would seem to leak until all were. Looking at 3,000 rows of a table instead
 * of 30,000 takes a tenth of the time in which all others wait; our columns have few values, or each its own.
 */
const settings = ['shared_buffers=32MB', 'max_wal_size=64MB', 'default_statistics_target=10'];

const FOR_ANALYSTS = { rowMode: 'array', parsers: parsersOfAnswers } as const;

/** PostgreSQL in WebAssembly works as long as a query takes: in a thread of its own, nobody else waits. */
async function main(): Promise<void> {
  const port = parentPort;
  if (!port) throw new Error('the database runs in a worker thread');
  const tell = (reply: DatabaseReply) => port.postMessage(reply);
  const { directory, archive } = workerData as { directory: string | undefined; archive: string | undefined };
  let database: PGlite;
  try {
    database = await PGlite.create({
      ...(directory !== undefined && { dataDir: directory }),
      ...(archive !== undefined && { loadDataDir: await openAsBlob(archive) }),
      parsers,
      startParams: [...PGlite.defaultStartParams, ...settings.flatMap((setting) => ['-c', setting])],
    });
    await database.exec(`SET TIME ZONE 'UTC'`);
  } catch (error) {
    tell({ kind: 'cannot-open', message: (error as Error).message });
    port.close();
    return;
  }
  const prepared = new PreparedStatements(database);
  const carryOut = async ({ id, sql, parameters, as, begin }: Statement): Promise<void> => {
    try {
      if (begin) await database.exec('BEGIN');
      if (as === 'json') {
        tell({ kind: 'json', id, ...(await prepared.query(sql, parameters)) });
        return;
      }
      const answer = await database.query(sql, [...parameters], as === 'lists' ? FOR_ANALYSTS : undefined);
      const fields = as === 'lists' ? answer.fields : [];
      const [columns, types] = [fields.map(({ name }) => name), fields.map(({ dataTypeID }) => dataTypeID)];
      tell({ kind: 'rows', id, rows: answer.rows, columns, types, affected: answer.affectedRows ?? 0 });
    } catch (error) {
      tell({ kind: 'error', id, message: (error as Error).message, code: (error as { code?: string }).code });
    }
  };
  const close = async (): Promise<void> => {
    await database.close();
    tell({ kind: 'closed' });
    port.close();
  };
  // One after the other: some take more than one call of PGlite, and no other may come between those.
  let work = Promise.resolve();
  port.on('message', (order: Statement | 'close') => {
    work = work.then(() => (order === 'close' ? close() : carryOut(order)));
  });
  tell({ kind: 'ready' });
}

await main();
