import fc from 'fast-check';
import { Heap, type Placed } from '../kernel/heap.ts';
import { type Claim, ClaimBook, compareClaims } from './claims.ts';
import { Stock, type StockedLead } from './stock.ts';

describe('the heap', () => {
  it('always has the first of all in front, whatever comes, goes and moves', () => {
    const change = fc.record({
      item: fc.integer({ min: 0, max: 15 }),
      rank: fc.integer({ min: 0, max: 20 }),
      leaves: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 200 }), (changes) => {
        const items = Array.from({ length: 16 }, (_, id) => ({ id, rank: 0, place: -1 }));
        const compare = (a: { rank: number; id: number }, b: { rank: number; id: number }) =>
          a.rank - b.rank || a.id - b.id;
        const heap = new Heap<{ id: number; rank: number } & Placed>(compare);
        const model = new Set<(typeof items)[number]>();
        for (const { item, rank, leaves } of changes) {
          const one = items[item] as (typeof items)[number];
          if (leaves) {
            heap.remove(one);
            model.delete(one);
          } else {
            one.rank = rank;
            heap.put(one);
            model.add(one);
          }
          expect(heap.size).toBe(model.size);
          expect(heap.first()).toBe([...model].sort(compare)[0]);
        }
      }),
    );
  });
});

const claim = (number: number, change: Partial<Claim> = {}): Claim => ({
  kind: 'order',
  id: `o${number}`,
  orderId: `o${number}`,
  customerId: `c${number % 5}`,
  leadTypeId: 'shared-fresh',
  businessKey: `b${number % 3}`,
  since: `2026-05-01T10:00:${String(number).padStart(2, '0')}.000Z`,
  lastServed: '',
  place: -1,
  ...change,
});

describe('the order of claims', () => {
  it('DLV-7: debts first, the oldest of them first; then who was served longest ago; then by age; then by id', () => {
    const inOrder = [
      claim(5, { kind: 'replacement' }),
      claim(6, { kind: 'replacement' }),
      claim(1),
      claim(2),
      claim(3, { since: claim(2).since }),
      claim(0, { lastServed: '2026-05-01T11:00:00.000Z 1 000000' }),
      claim(4, { lastServed: '2026-05-01T11:00:00.000Z 1 000001' }),
    ];
    fc.assert(
      fc.property(fc.shuffledSubarray(inOrder, { minLength: inOrder.length }), (shuffled) => {
        expect(shuffled.toSorted(compareClaims)).toEqual(inOrder);
      }),
    );
  });

  it('DLV-7: the book finds the first claim that a lead may go to, as a sorted list would', () => {
    const change = fc.record({
      number: fc.integer({ min: 0, max: 14 }),
      lastServed: fc.integer({ min: 0, max: 9 }),
      leaves: fc.boolean(),
    });
    const names = (letter: string) =>
      fc.uniqueArray(fc.integer({ min: 0, max: 4 }).map((number) => `${letter}${number}`));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), names('b'), names('c'), (changes, businesses, customers) => {
        const claims = Array.from({ length: 15 }, (_, number) => claim(number));
        const book = new ClaimBook();
        const model = new Set<Claim>();
        for (const { number, lastServed, leaves } of changes) {
          const one = claims[number] as Claim;
          if (leaves) {
            book.remove(one);
            model.delete(one);
          } else {
            one.lastServed = lastServed === 0 ? '' : String(lastServed);
            book.put(one);
            model.add(one);
          }
          const first = [...model]
            .sort(compareClaims)
            .find((one) => !businesses.includes(one.businessKey) && !customers.includes(one.customerId));
          expect(book.first({ businesses, customers })).toBe(first);
        }
      }),
    );
  });
});

describe('the stock', () => {
  it('DLV-6: gives the oldest lead that a customer may have, as a list would', () => {
    const change = fc.oneof(
      fc.record({
        kind: fc.constantFrom('put', 'remove', 'close'),
        lead: fc.integer({ min: 0, max: 9 }),
        to: fc.integer({ min: 0, max: 2 }),
      }),
      fc.record({ kind: fc.constant('ask'), lead: fc.constant(0), to: fc.integer({ min: 0, max: 2 }) }),
    );
    fc.assert(
      fc.property(fc.array(change, { maxLength: 80 }), (changes) => {
        const leads: StockedLead[] = Array.from({ length: 10 }, (_, number) => ({
          leadId: `l${number}`,
          leadTypeId: 'shared-fresh',
          openPlaces: 3,
          underWay: 0,
          businesses: [],
          customers: [],
          shelf: -1,
        }));
        const stock = new Stock();
        let model: StockedLead[] = [];
        for (const { kind, lead, to } of changes) {
          const one = leads[lead] as StockedLead;
          if (kind === 'put') {
            // A lead that comes back may be open to businesses that it was closed to.
            one.businesses = [];
            stock.put(one);
            model = [...model.filter((other) => other !== one), one];
          } else if (kind === 'remove') {
            stock.remove(one);
            model = model.filter((other) => other !== one);
          } else if (kind === 'close') {
            one.businesses = [...one.businesses, `b${to}`];
            one.customers = [...one.customers, `c${to}`];
          }
          expect(stock.size).toBe(model.length);
          expect(stock.firstFor(`b${to}`, `c${to}`)).toBe(
            model.find((other) => !other.businesses.includes(`b${to}`) && !other.customers.includes(`c${to}`)),
          );
        }
      }),
    );
  });
});
