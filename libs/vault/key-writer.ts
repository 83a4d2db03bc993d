import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type Database from 'better-sqlite3';
import { clearLog, openKeysForWriting } from './key-database.ts';

export interface KeyWriterSettings {
  readonly directory: string;
  /** False for a temporary store. */
  readonly durable: boolean;
  /** For tests: the most pages that the file may have. */
  readonly maxPages?: number | undefined;
}

/** Changes that are written together, in one transaction. */
export interface KeyBatch {
  readonly added: readonly { keyId: string; subject: string; wrapped: Uint8Array }[];
  /** Keys that are destroyed: their subjects, and an id for those that have no key. */
  readonly erased: readonly { keyId: string; subject: string }[];
  /** Empty the write-ahead log afterwards. */
  readonly clears: boolean;
}

export type KeyWriterReply =
  | { readonly kind: 'ready' }
  /** The batch is on disk. `cleared`: the write-ahead log is empty. */
  | { readonly kind: 'written'; readonly cleared: boolean }
  /** Nothing of the batch was written. */
  | { readonly kind: 'full'; readonly message: string }
  | { readonly kind: 'failed'; readonly message: string };

/** The only writer of the keys. It runs in a worker thread, so that only callers that write wait for the disk. */
function main(port: MessagePort): void {
  const { directory, durable, maxPages } = workerData as KeyWriterSettings;
  const database = openKeysForWriting(directory, durable);
  if (maxPages !== undefined) database.pragma(`max_page_count = ${maxPages}`);
  const write = batchWriter(database);
  const reply = (message: KeyWriterReply) => port.postMessage(message);
  port.on('message', (request: KeyBatch | 'close') => {
    if (request === 'close') {
      // The last connection to be closed is one for reading, which cannot do it.
      clearLog(database);
      database.close();
      port.close();
    } else reply(write(request));
  });
  // A crash may have interrupted an erasure after its commit.
  clearLog(database);
  reply({ kind: 'ready' });
}

const ADD = 'INSERT INTO keys (key_id, subject, wrapped) VALUES (?, ?, ?) ON CONFLICT (subject) DO NOTHING';
const ERASE = `INSERT INTO keys (key_id, subject, wrapped) VALUES (?, ?, zeroblob(1))
  ON CONFLICT (subject) DO UPDATE SET wrapped = zeroblob(max(1, length(wrapped)))`;

function batchWriter(database: Database.Database): (batch: KeyBatch) => KeyWriterReply {
  const add = database.prepare(ADD);
  const erase = database.prepare(ERASE);
  const writeAll = database.transaction(({ added, erased }: KeyBatch) => {
    for (const { keyId, subject, wrapped } of added) add.run(keyId, subject, wrapped);
    for (const { keyId, subject } of erased) erase.run(keyId, subject);
  });
  return (batch) => {
    try {
      if (batch.added.length + batch.erased.length > 0) writeAll(batch);
      return { kind: 'written', cleared: batch.clears && clearLog(database) };
    } catch (error) {
      const { code, message } = error as Error & { code?: string };
      return { kind: code === 'SQLITE_FULL' ? 'full' : 'failed', message };
    }
  };
}

if (!parentPort) throw new Error('the key writer runs in a worker thread');
main(parentPort);
