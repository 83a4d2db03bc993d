import fc from 'fast-check';
import { IdTable } from './id-table.ts';
import { deriveId } from './ids.ts';

describe('the table of ids', () => {
  it('answers as a map would, after any insertions and removals', () => {
    const change = fc.record({
      id: fc.oneof(
        fc.integer({ min: 0, max: 40 }).map((number) => deriveId('lead', String(number))),
        fc.constantFrom('a', 'B-1', 'DEADBEEF-0000-5000-8000-000000000000', ''),
      ),
      value: fc.nat({ max: 0xffffffff }),
      leaves: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 300 }), (changes) => {
        const table = new IdTable(['first', 'second']);
        const model = new Map<string, number>();
        for (const { id, value, leaves } of changes) {
          const row = table.find(id);
          expect(row >= 0).toBe(model.has(id));
          if (leaves) {
            if (row >= 0) table.remove(row);
            model.delete(id);
          } else {
            const kept = row >= 0 ? row : table.add(id);
            if (row < 0) expect(table.get(kept, 'first')).toBe(0);
            table.set(kept, 'first', value);
            table.set(kept, 'second', 0xffffffff - value);
            model.set(id, value);
          }
          expect(table.size).toBe(model.size);
        }
        for (const [id, value] of model) {
          const row = table.find(id);
          expect(table.idOf(row)).toBe(id);
          expect([table.get(row, 'first'), table.get(row, 'second')]).toEqual([value, 0xffffffff - value]);
        }
      }),
    );
  });

  it('grows over its chunks and finds each of 100,000', () => {
    const table = new IdTable(['number']);
    const ids = Array.from({ length: 100_000 }, (_, number) => deriveId('lead', String(number)));
    for (const [number, id] of ids.entries()) table.set(table.add(id), 'number', number);
    for (const id of ids.filter((_, number) => number % 3 === 0)) table.remove(table.find(id));
    const wrong = ids.filter((id, number) => {
      const row = table.find(id);
      return number % 3 === 0 ? row !== -1 : table.idOf(row) !== id || table.get(row, 'number') !== number;
    });
    expect(wrong).toEqual([]);
  });
});
