import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type Database from 'better-sqlite3';
import { openKeysForWriting } from './key-database.ts';

/** Changes that are written together, in one transaction. */
export interface KeyBatch {
  readonly added: readonly { keyId: string; subject: string; wrapped: Uint8Array }[];
  /** Subjects whose keys are destroyed. */
  readonly erased: readonly string[];
}

export type KeyWriterReply =
  | { readonly kind: 'ready' }
  /** The batch is on disk. */
  | { readonly kind: 'written' }
  | { readonly kind: 'failed'; readonly message: string };

/** The only writer of the keys. It runs in a worker thread, so that only callers that write wait for the disk. */
function main(port: MessagePort): void {
  const { directory, durable } = workerData as { directory: string; durable: boolean };
  const database = openKeysForWriting(directory, durable);
  const write = batchWriter(database);
  const reply = (message: KeyWriterReply) => port.postMessage(message);
  port.on('message', (request: KeyBatch | 'close') => {
    if (request === 'close') {
      database.close();
      port.close();
    } else reply(write(request));
  });
  reply({ kind: 'ready' });
}

function batchWriter(database: Database.Database): (batch: KeyBatch) => KeyWriterReply {
  const add = database.prepare('INSERT INTO keys (key_id, subject, wrapped) VALUES (?, ?, ?)');
  const erase = database.prepare('UPDATE keys SET wrapped = NULL WHERE subject = ? AND wrapped IS NOT NULL');
  const writeAll = database.transaction(({ added, erased }: KeyBatch) => {
    for (const { keyId, subject, wrapped } of added) add.run(keyId, subject, wrapped);
    for (const subject of erased) erase.run(subject);
  });
  return (batch) => {
    try {
      writeAll(batch);
      // A destroyed key must not stay in the write-ahead log.
      if (batch.erased.length > 0) database.pragma('wal_checkpoint(TRUNCATE)');
      return { kind: 'written' };
    } catch (error) {
      return { kind: 'failed', message: (error as Error).message };
    }
  };
}

if (!parentPort) throw new Error('the key writer runs in a worker thread');
main(parentPort);
