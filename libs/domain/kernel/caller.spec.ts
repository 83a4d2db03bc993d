import { type Caller, covers, scopeOf, staffRoles, trialCaller } from './caller.ts';

const caller = (changes: Partial<Caller>): Caller => ({
  kind: 'person',
  actor: 'staff:ada',
  roles: staffRoles,
  stores: 'all',
  ...changes,
});

test('customers may ask about themselves, staff about their stores, and processes about everything', () => {
  expect(scopeOf(trialCaller('customer:c1'))).toEqual({ customerId: 'c1' });
  expect(scopeOf(trialCaller('staff:ada'))).toBe('all');
  expect(scopeOf(caller({ roles: ['support'], stores: ['s1', 's2'] }))).toEqual({ stores: ['s1', 's2'] });
  expect(scopeOf(caller({ kind: 'process', actor: 'process:mailing', roles: ['process'] }))).toBe('all');
});

test.each([
  ['a program that brings leads', { kind: 'program', actor: 'system:intake', roles: ['lead-source'] }],
  ['a caller without a role', { roles: [] }],
  ['a customer without the role of a customer', { actor: 'customer:c1', roles: [] }],
  ['a caller with the role of a customer who is none', { roles: ['customer'] }],
] satisfies [string, Partial<Caller>][])('%s may ask about nothing', (_, changes) => {
  expect(scopeOf(caller(changes))).toBe('nothing');
});

test('a scope covers the owners that are in it', () => {
  const owner = { customerId: 'c1', storeId: 's1' };
  expect(covers('all', owner)).toBe(true);
  expect(covers('nothing', owner)).toBe(false);
  expect(covers({ customerId: 'c1' }, owner)).toBe(true);
  expect(covers({ customerId: 'c2' }, owner)).toBe(false);
  expect(covers({ stores: ['s2', 's1'] }, owner)).toBe(true);
  expect(covers({ stores: ['s2'] }, owner)).toBe(false);
});

test('staff of single stores may not ask about an owner whose store is unknown', () => {
  expect(covers({ stores: ['s1'] }, { customerId: 'c1' })).toBe(false);
  expect(covers('all', { customerId: 'c1' })).toBe(true);
});
