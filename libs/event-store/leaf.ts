import type { RecordedEvent } from './port.ts';

export type LeafParts = Pick<RecordedEvent, 'stream' | 'revision' | 'id' | 'type' | 'data' | 'metadata'>;

const VERSION = 1;

/**
 * The bytes that stand for an event in every proof (ADR 17). They are the same in every store that holds the event: the
 * parts are exactly those that a copy keeps. A number of bytes comes before each part, so that no two events have the same
 * leaf.
 */
export function leafOf({ stream, revision, id, type, data, metadata }: LeafParts): Buffer {
  const texts = Buffer.byteLength(stream) + Buffer.byteLength(id) + Buffer.byteLength(type);
  const leaf = Buffer.allocUnsafe(1 + 8 + 5 * 4 + texts + data.length + metadata.length);
  let end = leaf.writeUInt8(VERSION);
  end = writeText(leaf, end, stream);
  end = leaf.writeBigUInt64BE(BigInt(revision), end);
  end = writeText(leaf, end, id);
  end = writeText(leaf, end, type);
  end = writeBytes(leaf, end, data);
  writeBytes(leaf, end, metadata);
  return leaf;
}

/** @returns where the text ends */
function writeText(leaf: Buffer, at: number, text: string): number {
  const size = leaf.write(text, at + 4);
  return leaf.writeUInt32BE(size, at) + size;
}

/** @returns where the bytes end */
function writeBytes(leaf: Buffer, at: number, bytes: Uint8Array): number {
  leaf.set(bytes, leaf.writeUInt32BE(bytes.length, at));
  return at + 4 + bytes.length;
}
