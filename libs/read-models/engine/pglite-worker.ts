import { openAsBlob } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { parsers, parsersOfAnswers } from './parsers.ts';
import { type JsonRows, PreparedStatements } from './prepared.ts';

export interface Statement {
  readonly id: number;
  readonly sql: string;
  readonly parameters: readonly unknown[];
  /** Rows as lists of values (for analysts), as one JSON text (for a SELECT that comes often), or else as objects. */
  readonly as?: 'lists' | 'json';
  /** A transaction begins before it. */
  readonly begin?: true;
}

export interface WhatToOpen {
  /** The compiled program. */
  readonly postgres: object;
  /** Undefined: in memory. */
  readonly directory: string | undefined;
  /** What a database in memory begins with; undefined: with nothing, and PGlite makes one. */
  readonly archive: string | undefined;
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
 * More buffers are no faster (measured with 4 times as many): the operating system caches the files. PostgreSQL uses them
 * one by one, so memory would seem to leak until all are used. ANALYZE with 3,000 rows instead of 30,000 blocks all other
 * statements for a tenth of the time, and our columns have either few values or a different one in each row.
 */
const settings = ['shared_buffers=32MB', 'max_wal_size=64MB', 'default_statistics_target=10'];

const FOR_ANALYSTS = { rowMode: 'array', parsers: parsersOfAnswers } as const;

/** PostgreSQL in WebAssembly occupies its thread while a query runs: in a thread of its own, nothing else waits. */
async function main(): Promise<void> {
  const port = parentPort;
  if (!port) throw new Error('the database runs in a worker thread');
  const reply = (message: DatabaseReply) => port.postMessage(message);
  try {
    const database = await open(workerData as WhatToOpen);
    port.on(
      'message',
      inOrder(database, reply, () => port.close()),
    );
    reply({ kind: 'ready' });
  } catch (error) {
    reply({ kind: 'cannot-open', message: (error as Error).message });
    port.close();
  }
}

async function open({ postgres, directory, archive }: WhatToOpen): Promise<PGlite> {
  const database = await PGlite.create({
    pgliteWasmModule: postgres as never,
    ...(directory !== undefined && { dataDir: directory }),
    ...(archive !== undefined && { loadDataDir: await openAsBlob(archive) }),
    parsers,
    startParams: [...PGlite.defaultStartParams, ...settings.flatMap((setting) => ['-c', setting])],
  });
  await database.exec(`SET TIME ZONE 'UTC'`);
  return database;
}

/** Statements run one after the other: some take more than one call of PGlite, and no other may come between those. */
function inOrder(database: PGlite, reply: (message: DatabaseReply) => void, closed: () => void) {
  const prepared = new PreparedStatements(database);
  let work = Promise.resolve();
  const close = async (): Promise<void> => {
    await database.close();
    reply({ kind: 'closed' });
    closed();
  };
  return (message: Statement | 'close'): void => {
    work = work.then(async () => (message === 'close' ? close() : reply(await carryOut(database, prepared, message))));
  };
}

async function carryOut(
  database: PGlite,
  prepared: PreparedStatements,
  { id, sql, parameters, as, begin }: Statement,
): Promise<DatabaseReply> {
  try {
    if (begin) await database.exec('BEGIN');
    if (as === 'json') return { kind: 'json', id, ...(await prepared.query(sql, parameters)) };
    const result = await database.query(sql, [...parameters], as === 'lists' ? FOR_ANALYSTS : undefined);
    const fields = as === 'lists' ? result.fields : [];
    const [columns, types] = [fields.map(({ name }) => name), fields.map(({ dataTypeID }) => dataTypeID)];
    return { kind: 'rows', id, rows: result.rows, columns, types, affected: result.affectedRows ?? 0 };
  } catch (error) {
    return { kind: 'error', id, message: (error as Error).message, code: (error as { code?: string }).code };
  }
}

await main();
