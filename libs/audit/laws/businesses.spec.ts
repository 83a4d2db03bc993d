import { Businesses } from './businesses.ts';
import type { RawEvent } from './raw-log.ts';

const at = '2026-05-01T12:00:00.000Z';
const box = { keyId: 'k', box: 'AAAA' };

let businesses: Businesses;
let ordinal: number;
beforeEach(() => {
  businesses = new Businesses();
  ordinal = 0;
  businesses.useLegalEndings(event('main', { legalEndings: ['Inc.'], legalEndingsId: 'first' }));
});

function event(id: string, data: object, openedName?: string): RawEvent {
  ordinal += 1;
  return { id, ordinal, data: { at, ...data }, openedName } as RawEvent;
}

/** A customer states a business. @param former the keys of before; none where the key is of the first form */
const states = (customerId: string, businessKey: string, former?: readonly string[], name?: string) =>
  businesses.state(
    event(customerId, { businessAssociation: box, businessKey, ...(former && { formerBusinessKeys: former }) }, name),
  );
const renews = (customerId: string, businessKey: string, ...formerBusinessKeys: string[]) =>
  renewsWith('first', customerId, businessKey, ...formerBusinessKeys);
const renewsWith = (legalEndingsId: string, customerId: string, businessKey: string, ...formerBusinessKeys: string[]) =>
  businesses.renew(
    event(customerId, { businessKey, names: [{ statement: 0, businessKey, formerBusinessKeys }], legalEndingsId }),
  );
const useEndings = (legalEndingsId: string, ...legalEndings: string[]) =>
  businesses.useLegalEndings(event('main', { legalEndings, legalEndingsId }));
const pair = { businessKey: 'n', otherBusinessKey: 'm' };

describe('DLV-3: the businesses of the laws', () => {
  it('keys of one name in two forms are one business', () => {
    states('c1', 'old');
    expect(businesses.areSame('old', 'new')).toBe(false);
    states('c2', 'new', ['old']);
    expect(businesses.areSame('old', 'new')).toBe(true);
  });

  it('two names that had one key in a form of before are two, but what has that key is for neither', () => {
    states('c1', 'a', ['old']);
    states('c2', 'b', ['old']);
    expect(businesses.areSame('a', 'b')).toBe(false);
    expect([businesses.areSame('old', 'a'), businesses.areSame('b', 'old')]).toEqual([true, true]);
  });

  it('a name that was keyed anew is one business with its key of before, for what was decided from then on', () => {
    states('c1', 'old');
    renews('c1', 'new', 'old');
    expect([businesses.areSame('old', 'new', ordinal - 1), businesses.areSame('old', 'new', ordinal)]).toEqual([
      false,
      true,
    ]);
  });

  it('names that can be opened are compared by themselves, whatever their keys say', () => {
    states('c1', 'one', [], 'Café Acme');
    states('c2', 'two', [], 'CAFE ACME, Inc.');
    states('c3', 'three', [], 'Acme');
    expect([businesses.areSame('one', 'two'), businesses.areSame('one', 'three')]).toEqual([true, false]);
  });

  it('a name of before that can be opened is compared once it is keyed anew', () => {
    states('c1', 'old', undefined, 'Acme');
    states('c2', 'two', [], 'ACME Inc.');
    expect(businesses.areSame('old', 'two')).toBe(false);
    renews('c1', 'wrong', 'old');
    expect(businesses.areSame('wrong', 'two')).toBe(true);
  });

  it('a key of a former list is seen: names that are one by the list in force are one from then on, whatever their keys say', () => {
    states('c1', 'n', [], 'Rice');
    states('c2', 'm', [], 'RICE Naturals');
    expect(businesses.areSame('n', 'm')).toBe(false);
    renewsWith('second', 'c1', 'n2', 'n');
    useEndings('second', 'Inc.', 'Naturals');
    expect([businesses.areSame('n2', 'm'), businesses.areSame('n2', 'm', ordinal - 1)]).toEqual([true, false]);
    states('c3', 'late', ['m'], 'Rice naturals');
    expect(businesses.areSame('late', 'n2')).toBe(true);
  });

  it('names that a shortened list tells apart are two from then on, and while their keys are made anew', () => {
    states('c1', 'pro', [], 'Pro Inc.');
    states('c2', 'pro', [], 'Pro');
    renewsWith('second', 'c1', 'proinc2', 'pro');
    renewsWith('second', 'c2', 'pro2', 'pro');
    expect(businesses.areSame('proinc2', 'pro2')).toBe(false);
    useEndings('second');
    expect(businesses.areSame('proinc2', 'pro2')).toBe(false);
    expect([businesses.areSame('pro', 'pro2'), businesses.areSame('proinc2', 'pro')]).toEqual([true, true]);
  });

  it('merged businesses are one with all their forms, until the merge is taken back', () => {
    states('c1', 'n', ['old n']);
    states('c2', 'm', ['old m']);
    businesses.merge(event('main', pair));
    const merged = ordinal;
    expect(businesses.areSame('old n', 'old m')).toBe(true);
    expect(businesses.areSame('n', 'm', merged - 1)).toBe(false);
    businesses.takeMergeBack(event('main', pair));
    expect([businesses.areSame('m', 'n'), businesses.areSame('m', 'n', merged)]).toEqual([false, true]);
  });
});
