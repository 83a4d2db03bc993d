import { deriveId } from '#domain/kernel/ids';
import { KnownIds } from './known-ids.ts';

const id = (stream: number, number: number): string => deriveId('known-ids', String(stream), String(number));
const idsOf = (stream: number, length: number) => Array.from({ length }, (_, number) => id(stream, number));

describe('the ids of streams that are written to', () => {
  it('are known without a read after the first one, and no other id is', () => {
    let reads = 0;
    const ids = new KnownIds((stream) => {
      reads += 1;
      return idsOf(stream, 500);
    });
    expect(idsOf(1, 500).every((one) => ids.mayHave(1, one))).toBe(true);
    for (let number = 500; number < 3000; number += 1) {
      expect(ids.mayHave(1, id(1, number))).toBe(false);
      ids.wrote(1, id(1, number));
    }
    expect(idsOf(1, 3000).every((one) => ids.mayHave(1, one))).toBe(true);
    expect(idsOf(2, 500).some((one) => ids.mayHave(1, one))).toBe(false);
    expect(reads).toBe(1);
  });

  it('are read again after they were forgotten, and when the stream was not used for long', () => {
    const read: number[] = [];
    const ids = new KnownIds((stream) => {
      read.push(stream);
      return [id(stream, 0)];
    });
    ids.mayHave(1, id(1, 0));
    ids.forget();
    expect(ids.mayHave(1, id(1, 0))).toBe(true);
    for (let stream = 2; stream <= 25_000; stream += 1) ids.mayHave(stream, id(stream, 1));
    expect(ids.mayHave(25_000, id(25_000, 0))).toBe(true);
    expect(ids.mayHave(1, id(1, 0))).toBe(true);
    expect(read.filter((stream) => stream === 1)).toHaveLength(3);
    expect(read).toHaveLength(25_002);
  });
});
