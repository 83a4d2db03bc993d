import { hash } from 'node:crypto';
import type { RecordedEvent } from './port.ts';

type Hashed = Pick<RecordedEvent, 'stream' | 'revision' | 'id' | 'type' | 'data' | 'metadata'>;

/**
 * SHA-256 over the parts of an event that must never change. The sizes come before the bytes, so that no two events give
 * the same input. The time of recording is not included, because it belongs to the store and not to the ledger.
 */
export function hashOfEvent({ stream, revision, id, type, data, metadata }: Hashed): Uint8Array {
  const header = Buffer.from(JSON.stringify([stream, revision, id, type, data.length, metadata.length]));
  return hash('sha256', Buffer.concat([header, data, metadata]), 'buffer');
}
