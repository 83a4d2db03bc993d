import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { leafOf } from './leaf.ts';

interface Vector {
  readonly stream: string;
  readonly revision: number;
  readonly id: string;
  readonly type: string;
  readonly data: string;
  readonly metadata: string;
  /** Hexadecimal. */
  readonly leaf: string;
  readonly leafHash: string;
}

const page = readFileSync(new URL('../../docs/adr/0017-one-order-of-events.md', import.meta.url), 'utf8');
const vectors = JSON.parse(/```json\n([^`]*)```/.exec(page)?.[1] as string) as Vector[];
const encoder = new TextEncoder();

describe('the leaf of an event', () => {
  it.each(vectors)('is as ADR 17 says: $stream', ({ leaf, leafHash, data, metadata, ...names }) => {
    const bytes = leafOf({ ...names, data: encoder.encode(data), metadata: encoder.encode(metadata) });
    expect(bytes.toString('hex')).toBe(leaf);
    expect(hash('sha256', Buffer.concat([Buffer.of(0), bytes]))).toBe(leafHash);
  });

  it('has test vectors', () => expect(vectors.length).toBeGreaterThan(1));
});
