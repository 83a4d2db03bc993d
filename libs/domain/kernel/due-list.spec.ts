import fc from 'fast-check';
import { minute } from '#test/given';
import { DueList } from './due-list.ts';

type Change =
  | { readonly kind: 'put'; readonly key: string; readonly due: number | undefined }
  | { readonly kind: 'remove'; readonly key: string }
  | { readonly kind: 'take'; readonly now: number; readonly limit: number };

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
const time = fc.integer({ min: 0, max: 9 });
const change: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('put' as const), key, due: fc.option(time, { nil: undefined }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('take' as const), now: time, limit: fc.nat(4) }) },
);

interface Item {
  readonly key: string;
  readonly dueAt: string | undefined;
}

/** The same list without a heap: sorted again for every question. */
class PlainList {
  items: Item[] = [];

  put(item: Item): void {
    this.remove(item.key);
    this.items.push(item);
  }
  remove(key: string): void {
    this.items = this.items.filter((item) => item.key !== key);
  }
  due(now: string, limit: number): Item[] {
    return this.items
      .filter(({ dueAt }) => dueAt !== undefined && dueAt <= now)
      .sort((a, b) => (`${a.dueAt} ${a.key}` < `${b.dueAt} ${b.key}` ? -1 : 1))
      .slice(0, limit);
  }
}

describe('a due list', () => {
  it('behaves as a list that is sorted again for every question', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
        const list = new DueList<Item>();
        const plain = new PlainList();
        for (const step of changes) {
          apply(step, list, plain);
          expect(list.size).toBe(plain.items.length);
          expect(list.nextDueAt()).toBe(plain.due(minute(10), 1)[0]?.dueAt);
          for (const item of plain.items) expect(list.get(item.key)).toBe(item);
          expect(new Set(list.items())).toEqual(new Set(plain.items));
        }
      }),
    );
  });

  it('leaves what is not due yet, and what is not scheduled', () => {
    const list = new DueList<string>();
    list.put('unscheduled', 'unscheduled');
    list.put('late', 'late', minute(2));
    list.put('early', 'early', minute(1));
    expect(list.take(minute(1), 100)).toEqual(['early']);
    expect(list.take(minute(1), 100)).toEqual([]);
    expect(list.take(minute(2), 100)).toEqual(['late']);
    expect(list.items()).toEqual(['unscheduled']);
  });
});

function apply(step: Change, list: DueList<Item>, plain: PlainList): void {
  if (step.kind === 'put') {
    const item = { key: step.key, dueAt: step.due === undefined ? undefined : minute(step.due) };
    list.put(item.key, item, item.dueAt);
    plain.put(item);
  } else if (step.kind === 'remove') {
    list.remove(step.key);
    plain.remove(step.key);
  } else {
    const taken = list.take(minute(step.now), step.limit);
    expect(taken).toEqual(plain.due(minute(step.now), step.limit));
    for (const item of taken) plain.remove(item.key);
  }
}

test('what was noted by a clock that was ahead is due once the clock was put right, and the rest when it is due', () => {
  const list = new DueList<string>();
  list.put('ahead', 'noted ahead', minute(5000), minute(4000));
  list.put('right', 'noted in time', minute(70), minute(9));
  list.put('skewed', 'of a machine whose clock is a little ahead', minute(80), minute(11));
  list.put('unscheduled', 'not scheduled', undefined, minute(4000));
  expect(list.take(minute(10), 10)).toEqual(['noted ahead']);
  expect(list.nextDueAt()).toBe(minute(70));
  expect(list.take(minute(70), 10)).toEqual(['noted in time']);
});
