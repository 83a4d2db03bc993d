import { hash } from 'node:crypto';
import { businessPairs, charactersOfUnicode } from '#test/business-pairs';
import { defaultPolicy, legalEndingsOf } from '../policy/policy.ts';
import { formOfBusiness } from './business-form.ts';
import { isUnassigned } from './unassigned-characters.ts';

const endings = legalEndingsOf(defaultPolicy);

describe('the second form of the name of a business', () => {
  it.each(businessPairs)('DLV-3: %s %j %j', (relation, one, other) => {
    const areSame = formOfBusiness(one, endings) === formOfBusiness(other, endings);
    expect(areSame ? 'same' : 'different').toBe(relation);
  });

  it('leaves out the endings of the list that it is given', () => {
    expect(formOfBusiness('Acme Verein', ['Verein'])).toBe(formOfBusiness('Acme', []));
    expect(formOfBusiness('Acme Inc.', [])).not.toBe(formOfBusiness('Acme', []));
    expect(formOfBusiness('Acme Co. Ltd.', ['Ltd.', 'Co. Ltd.', '.'])).toBe('acme');
  });

  it('never changes: keys of it are stored', () => {
    const forms: string[] = [];
    for (const [, character] of charactersOfUnicode()) {
      // By itself, and between letters of two scripts, where it is a mark or not.
      forms.push(formOfBusiness(character, []), formOfBusiness(`e${character}か${character}`, []));
    }
    expect(hash('sha256', forms.join('\n'))).toBe('50843810ad29c15e1647ea613944b25c959ec0ff3af82a5764e1a6288007fed8');
  });

  it('does not depend on what later versions of Unicode know', () => {
    const later = [0x378, 0x1fb93, 0x3347a, 0x3fffd].map((code) => String.fromCodePoint(code));
    expect(later.map(isUnassigned)).toEqual([true, true, true, true]);
    expect(['a', 'ẞ', '한', '\u{1faea}', '\u{10ffff}'].map(isUnassigned)).toEqual([false, false, false, false, true]);
    expect(formOfBusiness(`${later[2]}`, [])).toBe('3347a');
  });
});
