import fc from 'fast-check';
import { type HeapItem, heapOf } from '../kernel/heap.ts';
import { deriveId } from '../kernel/ids.ts';
import { Businesses } from './businesses.ts';
import { type Claim, ClaimBook, compareClaims } from './claims.ts';
import { Stock, type StockedLead } from './stock.ts';

describe('the heap', () => {
  it('always has the first item in front, after any insertions, removals and moves', () => {
    const change = fc.record({
      item: fc.integer({ min: 0, max: 15 }),
      rank: fc.integer({ min: 0, max: 20 }),
      leaves: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 200 }), (changes) => {
        const items = Array.from({ length: 16 }, (_, id) => ({ id, rank: 0, heapIndex: -1 }));
        const compare = (a: { rank: number; id: number }, b: { rank: number; id: number }) =>
          a.rank - b.rank || a.id - b.id;
        const heap = heapOf<{ id: number; rank: number } & HeapItem>(compare);
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
  heapIndex: -1,
  ...change,
});

describe('the order of claims', () => {
  it('DLV-7: debts first, the oldest of them first; then the least recently served order; then by age; then by id', () => {
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
  const change = fc.oneof(
    fc.record({
      kind: fc.constantFrom('add', 'wake', 'put', 'remove', 'close'),
      lead: fc.integer({ min: 0, max: 9 }),
      to: fc.integer({ min: 0, max: 2 }),
    }),
    fc.record({
      kind: fc.constantFrom('ask', 'offer'),
      lead: fc.constant(0),
      to: fc.integer({ min: 0, max: 2 }),
    }),
  );

  it('DLV-6: gives the oldest lead that a customer may have, and offers returned leads again, as a sorted list would', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 80 }), (changes) => {
        const stock = new Stock('shared-fresh', new Businesses());
        const awake = new Map<string, StockedLead>();
        let model: { id: string; closedTo: Set<number>; offered: boolean }[] = [];
        const keep = (lead: StockedLead | undefined) => lead && awake.set(lead.leadId, lead);
        for (const { kind, lead: number, to } of changes) {
          const id = number < 5 ? `l${number}` : deriveId('lead', String(number));
          const lies = model.find((one) => one.id === id);
          const lead = awake.get(id);
          if (kind === 'add' && !lies && !lead) {
            stock.add(id, 3);
            model.push({ id, closedTo: new Set(), offered: false });
          } else if (kind === 'wake') {
            const woken = stock.wake(id);
            expect(woken?.leadId).toBe(lies && !lead ? id : undefined);
            keep(woken);
          } else if (kind === 'put' && lead) {
            // A lead that comes back may be open to businesses that it was closed to.
            Object.assign(lead, { businesses: [], customers: [] });
            stock.put(lead);
            model = [...model.filter((one) => one !== lies), { id, closedTo: new Set(), offered: false }];
          } else if (kind === 'remove' && lead) {
            stock.remove(lead);
            model = model.filter((one) => one !== lies);
          } else if (kind === 'close' && lead) {
            lead.businesses = [...lead.businesses, `b${to}`];
            lead.customers = [...lead.customers, `c${to}`];
            lies?.closedTo.add(to);
          } else if (kind === 'offer') {
            const choose = ({ businesses }: { businesses: readonly string[] }) =>
              businesses.includes(`b${to}`) ? undefined : 'claim';
            const offered = stock.nextOffer(choose);
            keep(offered?.lead);
            const next = model.find((one) => !one.offered && !one.closedTo.has(to));
            expect(offered?.lead.leadId).toBe(next?.id);
            for (const one of model) {
              if (one === next) break;
              one.offered = true;
            }
          }
          expect(stock.size).toBe(model.length);
          const first = kind === 'ask' ? stock.firstFor(`b${to}`, `c${to}`) : undefined;
          if (kind === 'ask') expect(first?.leadId).toBe(model.find(({ closedTo }) => !closedTo.has(to))?.id);
          keep(first);
        }
      }),
      { numRuns: 500 },
    );
  });
});
