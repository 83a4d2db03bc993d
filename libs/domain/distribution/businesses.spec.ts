import { Businesses } from './businesses.ts';

let businesses: Businesses;
beforeEach(() => {
  businesses = new Businesses();
});
const keysOf = (key: string) => [...businesses.of(key)].sort();

describe('DLV-3: the keys of one business', () => {
  it('are those of its name in all forms', () => {
    businesses.notePlain('c1', 'plain');
    businesses.noteKeys('c1', ['first']);
    businesses.noteForms('second', ['first']);
    for (const key of ['plain', 'first', 'second'])
      expect(new Set(businesses.of(key))).toEqual(new Set(['plain', 'first', 'second']));
    expect([businesses.keyedOf('plain'), businesses.keyedOf('second')]).toEqual(['first', 'second']);
  });

  it('are not those of another name that had the same key in a form of before', () => {
    businesses.noteForms('a', ['first']);
    businesses.noteForms('b', ['first']);
    expect([keysOf('a'), keysOf('b')].map((keys) => [...new Set(keys)])).toEqual([
      ['a', 'first'],
      ['b', 'first'],
    ]);
    expect(new Set(businesses.of('first'))).toEqual(new Set(['first', 'a', 'b']));
  });

  it('are those of all businesses that are merged with it, also through a third one, until a merge is taken back', () => {
    businesses.noteForms('a', ['first a']);
    businesses.merge('a', 'b');
    businesses.merge('b', 'c');
    expect(new Set(businesses.of('c'))).toEqual(new Set(['a', 'b', 'c', 'first a']));
    businesses.takeMergeBack('a', 'b');
    expect(new Set(businesses.of('c'))).toEqual(new Set(['b', 'c']));
  });
});
