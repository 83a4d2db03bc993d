import { namePattern } from './name-pattern.ts';

describe('the regular expressions that a node serves', () => {
  it.each<[regex: string, passing: readonly string[], others: readonly string[]]>([
    ['^order-', ['order-', 'order-1'], ['border-1', 'orde']],
    ['^order-.*', ['order-1'], ['border-1']],
    ['order', ['order', 'border-1'], ['lead-1']],
    ['1$', ['order-1'], ['order-12']],
    ['^(order-|lead-)', ['order-1', 'lead-1'], ['orders']],
    ['^(?:order-|lead-)', ['order-1', 'lead-1'], ['orders']],
    ['^(OrderPlaced|LeadSold)$', ['OrderPlaced', 'LeadSold'], ['OrderPlacedTwice', 'XLeadSold']],
    ['^order-|^lead-', ['order-1', 'lead-1'], ['border-1']],
    ['\\Aorder-1\\z', ['order-1'], ['order-12', 'border-1']],
    ['^a\\.b\\-\\(c\\)', ['a.b-(c)1'], ['axb-(c)']],
    ['^(a\\|b|c)$', ['a|b', 'c'], ['a', 'b']],
    ['^(ö\\+\\*\\?\\[x\\]\\{2\\}\\|\\^\\$)', ['ö+*?[x]{2}|^$1'], ['ö']],
    ['^[^$]', ['order-1'], ['$stats', '']],
    ['^[^$].*', ['order-1'], ['$stats']],
    ['^[^\\$].*', ['order-1'], ['$stats']],
    ['', ['anything'], []],
  ])('%s', (regex, passing, others) => {
    const { passes } = namePattern(regex);
    expect(passing.filter((name) => !passes(name))).toEqual([]);
    expect(others.filter((name) => passes(name))).toEqual([]);
  });

  it.each(['(a+)+$', '^a.c', '^[a-z]', '^a*', '(?i)^order-', '^\\d', '^(a|(b|c))', 'a^', '^a{2}'])(
    'refuses %s by name',
    (regex) => {
      expect(() => namePattern(regex)).toThrow(JSON.stringify(regex));
    },
  );

  it.each(['(', '[', 'a)', '*'])('refuses %s as a server refuses it', (regex) => {
    expect(() => namePattern(regex)).toThrow('Exception was thrown by handler.');
  });

  it('knows names and beginnings that the store can look for', () => {
    expect(namePattern('^(A|B)$').names).toEqual(['A', 'B']);
    expect(namePattern('^(a-|b-)').prefixes).toEqual(['a-', 'b-']);
    expect(namePattern('a').prefixes).toBeUndefined();
  });
});
