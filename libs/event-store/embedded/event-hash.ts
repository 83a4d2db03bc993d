import { hash } from 'node:crypto';
import type { RecordedEvent } from '../port.ts';

type Hashed = Pick<RecordedEvent, 'stream' | 'revision' | 'id' | 'type' | 'data' | 'metadata'>;

/**
 * SHA-256 over all that must never change of an event. The sizes stand before the bytes, so that no two events are
 * written the same way. When it was recorded is not part of it: that is the store's word, not the ledger's.
 */
export function hashOfEvent({ stream, revision, id, type, data, metadata }: Hashed): Uint8Array {
  const header = Buffer.from(JSON.stringify([stream, revision, id, type, data.length, metadata.length]));
  return hash('sha256', Buffer.concat([header, data, metadata]), 'buffer');
}
