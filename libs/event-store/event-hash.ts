import { hash } from 'node:crypto';
import { type LeafParts, leafOf } from './leaf.ts';
import type { RecordedEvent } from './port.ts';

interface Hashed extends LeafParts, Pick<RecordedEvent, 'recordedAt' | 'hash'> {}

const VERSION = 2;
const BYTES_OF_VERSION_1 = 32;

/**
 * The hash that an embedded store keeps with an event: of its leaf and of the instant at which this store recorded it. It
 * begins with a version byte. An event that has a hash of version 1 gets that version again.
 */
export function hashOfEvent(event: Hashed): Uint8Array {
  if (event.hash?.length === BYTES_OF_VERSION_1) return hashOfVersion1(event);
  const hashed = Buffer.concat([leafOf(event), Buffer.from(event.recordedAt)]);
  return Buffer.concat([Buffer.of(VERSION), hash('sha256', hashed, 'buffer')]);
}

/** Without the instant of recording. */
function hashOfVersion1({ stream, revision, id, type, data, metadata }: LeafParts): Uint8Array {
  const header = Buffer.from(JSON.stringify([stream, revision, id, type, data.length, metadata.length]));
  return hash('sha256', Buffer.concat([header, data, metadata]), 'buffer');
}
