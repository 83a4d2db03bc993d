import fc from 'fast-check';
import { uuid } from './events.ts';
import { deriveId } from './ids.ts';

describe('deriveId', () => {
  it('makes the same id of the same parts, in every version of the program', () => {
    expect(deriveId('order', '1')).toBe('33f31178-ed04-56e5-9fc5-17b6df7d691b');
  });

  it('makes UUIDs, and other ones of other parts', () => {
    const parts = fc.array(fc.string(), { maxLength: 4 });
    fc.assert(
      fc.property(parts, parts, (some, others) => {
        expect(uuid.safeParse(deriveId(...some)).success).toBe(true);
        const same = JSON.stringify(some) === JSON.stringify(others);
        expect(deriveId(...some) === deriveId(...others)).toBe(same);
      }),
    );
  });

  it('keeps apart what only looks alike when written together', () => {
    expect(deriveId('a', 'bc')).not.toBe(deriveId('ab', 'c'));
    expect(deriveId('a\n1:b')).not.toBe(deriveId('a', 'b'));
  });
});
