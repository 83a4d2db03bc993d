import fc from 'fast-check';
import { ledger } from '#domain/ledger';
import { type Family, factsOfWorld, worldsOf } from './command-worlds.ts';
import { differences, tablesLeftOut } from './rows-and-folds.ts';

const kinds: readonly (readonly Family[])[] = [
  ['order', 'programme'],
  ['order', 'contacts'],
  ['replacement'],
  ['lead'],
  ['customer'],
  ['ticket', 'mail', 'webhook'],
  ['coupon'],
];

/** What a row shows and what the history of the same stream shows. */
const agree = (families: readonly Family[]) =>
  fc.assert(
    fc.property(worldsOf(...families), (world) => {
      expect(differences(factsOfWorld(world))).toEqual([]);
    }),
    { numRuns: 500 },
  );

it('every table whose rows show the state of something is compared', () => {
  expect(tablesLeftOut()).toEqual([]);
});

describe('whatever happens, a row and the history say the same', () => {
  it('of orders, their programmes, renewals, refunds and disputes', () => agree(['order', 'programme']));
  it('of orders, and of leads as customers have them', () => agree(['order', 'contacts']));
  it('of returns', () => agree(['replacement']));
  it('of leads and duplicates', () => agree(['lead']));
  it('of customers', () => agree(['customer']));
  it('of tickets, mails and calls of webhooks', () => agree(['ticket', 'mail', 'webhook']));
  it('of coupons and their uses', () => agree(['coupon']));
});

it('all that can happen does so in these worlds', () => {
  const happened = new Set<string>(
    kinds.flatMap((families) =>
      fc
        .sample(worldsOf(...families), { numRuns: 2000, seed: 7 })
        .flatMap((world) => factsOfWorld(world).map(({ type }) => type)),
    ),
  );
  const possible = kinds.flat().flatMap((family) => Object.keys(ledger[family].events));
  expect(possible.filter((type) => !happened.has(type))).toEqual([]);
});
