import type { RecordedEvent } from './port.ts';

export type LeafParts = Pick<RecordedEvent, 'stream' | 'revision' | 'id' | 'type' | 'data' | 'metadata'>;

const VERSION = 1;

/**
 * The bytes that stand for an event in every proof (ADR 17). They are the same in every store that holds the event: the
 * parts are exactly those that a copy keeps. A number of bytes comes before each part, so that no two events have the same
 * leaf.
 */
export function leafOf({ stream, revision, id, type, data, metadata }: LeafParts): Buffer {
  const number = Buffer.alloc(8);
  number.writeBigUInt64BE(BigInt(revision));
  return Buffer.concat([
    Buffer.of(VERSION),
    ...sized(Buffer.from(stream)),
    number,
    ...sized(Buffer.from(id)),
    ...sized(Buffer.from(type)),
    ...sized(data),
    ...sized(metadata),
  ]);
}

function sized(bytes: Uint8Array): [size: Uint8Array, bytes: Uint8Array] {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(bytes.length);
  return [size, bytes];
}
