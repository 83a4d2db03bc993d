import fc from 'fast-check';
import { sharesOf } from './shares.ts';

const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 30 });

describe('units divided among workers', () => {
  it('have one worker each, and no worker has more than one more than another', () => {
    fc.assert(
      fc.property(names, names, (units, workers) => {
        const shares = sharesOf(units, workers);
        expect([...shares.values()].flat().sort()).toEqual([...units].sort());
        const sizes = [...shares.values()].map((share) => share.length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('are divided the same way for any order of workers and units', () => {
    fc.assert(
      fc.property(names, names, (units, workers) => {
        expect(sharesOf(units.toReversed(), workers.toReversed())).toEqual(sharesOf(units, workers));
      }),
    );
  });

  it('have no worker while none runs', () => {
    expect(sharesOf(['a'], []).size).toBe(0);
  });
});
