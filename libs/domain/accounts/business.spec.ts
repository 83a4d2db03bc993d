import { isUnsealed, type Sealed } from '../kernel/events.ts';
import { addressUpcasters, customerUpcasters, normaliseBusiness, refuseBusiness } from './business.ts';

describe('the name of a business', () => {
  it.each(['abc vitamins', 'ABC-Vitamins', ' A. B. C. VITAMINS ', 'ＡＢＣ Vitamins'])(
    'DLV-3: "%s" is the same business as "A.B.C. Vitamins"',
    (written) => {
      expect(normaliseBusiness(written)).toBe(normaliseBusiness('A.B.C. Vitamins'));
    },
  );

  it.each([
    ['Straße Vitamins', 'STRASSE VITAMINS'],
    ['ΟΔΟΣ Α', 'ΟΔΟΣΑ'],
  ])('DLV-3: "%s" and "%s" are one business: letters that capitals and neighbours change are the same', (one, same) => {
    expect(normaliseBusiness(one)).toBe(normaliseBusiness(same));
  });

  it('DLV-3: other letters are another business', () => {
    expect(normaliseBusiness('ABD Vitamins')).not.toBe(normaliseBusiness('ABC Vitamins'));
  });

  it('ACC-5: has a letter or a digit', () => {
    expect(refuseBusiness(' - ')).toMatchObject({ code: 'business-association-empty', rule: 'ACC-5' });
    expect(refuseBusiness('A-1')).toBeUndefined();
  });

  it('of an older event becomes a box without a key, and its normal form the key', () => {
    const stored = { storeId: 'main', businessAssociation: 'A.B.C.' };
    const [upcast] = customerUpcasters.CustomerRegistered;
    expect(upcast?.(stored)).toEqual({ storeId: 'main', businessAssociation: expect.anything(), businessKey: 'abc' });
    expect(isUnsealed(upcast?.(stored).businessAssociation as Sealed)).toBe(true);
    const [upcastClaim] = addressUpcasters.AddressClaimed;
    expect(upcastClaim?.({ purpose: { for: 'registration', registration: stored } })).toEqual({
      purpose: { for: 'registration', registration: upcast?.(stored) },
    });
    const change = { purpose: { for: 'change', tokenHash: 'h' } };
    expect(upcastClaim?.(change)).toEqual(change);
  });
});
