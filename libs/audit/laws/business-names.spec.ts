import { formOfBusiness } from '#domain/accounts/business-form';
import { defaultPolicy, legalEndingsOf } from '#domain/policy/policy';
import { businessPairs, charactersOfUnicode } from '#test/business-pairs';
import { nameOfBusiness } from './business-names.ts';

const endings = legalEndingsOf(defaultPolicy);

describe("the auditor's form of the name of a business", () => {
  it.each(businessPairs)('DLV-3: %s %j %j', (relation, one, other) => {
    const areSame = nameOfBusiness(one, endings) === nameOfBusiness(other, endings);
    expect(areSame ? 'same' : 'different').toBe(relation);
  });

  it('agrees with the form of the store on every character, by itself and between letters of two scripts', () => {
    const differing: string[] = [];
    for (const [code, character] of charactersOfUnicode()) {
      for (const name of [character, `e${character}か${character}`]) {
        const form = formOfBusiness(name, []);
        const own = nameOfBusiness(name, []);
        if (form !== own && !(form.startsWith('=') && own.startsWith('as typed'))) differing.push(code.toString(16));
      }
    }
    expect(differing).toEqual([]);
  });
});
