import { parentPort, workerData } from 'node:worker_threads';
import { openKeysForWriting } from './key-database.ts';

/** What is written together, durable when it is answered. */
export interface KeyBatch {
  readonly added: readonly { keyId: string; subject: string; wrapped: Uint8Array }[];
  /** Subjects whose keys are to be destroyed. */
  readonly erased: readonly string[];
}

export type KeyReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'written' }
  | { readonly kind: 'failed'; readonly message: string };

/** The one writer of the keys, in a thread of its own: nobody waits for the disk but those who asked. */
function main(): void {
  const port = parentPort;
  if (!port) throw new Error('the key writer runs in a worker thread');
  const { directory, durable } = workerData as { directory: string; durable: boolean };
  const database = openKeysForWriting(directory, durable);
  const add = database.prepare('INSERT INTO keys (key_id, subject, wrapped) VALUES (?, ?, ?)');
  const erase = database.prepare('UPDATE keys SET wrapped = NULL WHERE subject = ? AND wrapped IS NOT NULL');
  const write = database.transaction(({ added, erased }: KeyBatch) => {
    for (const { keyId, subject, wrapped } of added) add.run(keyId, subject, wrapped);
    for (const subject of erased) erase.run(subject);
  });
  const tell = (reply: KeyReply) => port.postMessage(reply);
  port.on('message', (order: KeyBatch | 'close') => {
    if (order === 'close') {
      database.close();
      port.close();
      return;
    }
    try {
      write(order);
      // A destroyed key must not live on in the write-ahead log.
      if (order.erased.length > 0) database.pragma('wal_checkpoint(TRUNCATE)');
      tell({ kind: 'written' });
    } catch (error) {
      tell({ kind: 'failed', message: (error as Error).message });
    }
  });
  tell({ kind: 'ready' });
}

main();
