import type { Position } from '#event-store/port';
import type { ChangeLog } from './change-log.ts';
import { Feed } from './feed.ts';
import type { ChangeMessage, Interest } from './messages.ts';
import { MOST_KEPT, RecentChanges } from './recent-changes.ts';

const at = (number: number): Position => String(number).padStart(16, '0') as Position;
const pausedBy = (customerId: string, number: number): ChangeMessage => ({
  kind: 'change',
  position: at(number),
  change: {
    type: 'OrderPaused',
    at: '2026-03-02T15:00:00.000Z',
    kind: 'order',
    id: `order-of-${customerId}`,
    customerId,
    storeId: 'main',
  },
});
const everything: Interest = { scope: 'all' };
const of = (customerId: string): Interest => ({ scope: { customerId } });
const { signal } = new AbortController();

function recentWith(...customers: string[]): RecentChanges {
  const recent = new RecentChanges(at(0));
  for (const [index, customer] of customers.entries()) recent.add([pausedBy(customer, index + 1)], at(index + 1));
  return recent;
}
const next = (follower: ReturnType<RecentChanges['join']>) => follower?.take(1)[0];
const taken = (follower: ReturnType<RecentChanges['join']>): Position[] => {
  const positions: Position[] = [];
  for (let message = next(follower); message; message = next(follower)) positions.push(message.position);
  return positions;
};

test('a feed that joins takes the changes after its position that concern it, and those that come', () => {
  const recent = recentWith('c1', 'c2', 'c1');
  const [staff, own, late] = [
    recent.join(at(1), everything),
    recent.join(at(0), of('c1')),
    recent.join(at(3), of('c2')),
  ];
  recent.add([pausedBy('c2', 4)], at(4));
  expect(taken(staff)).toEqual([at(2), at(3), at(4)]);
  expect(taken(own)).toEqual([at(1), at(3)]);
  expect(taken(late)).toEqual([at(4)]);
});

test('a feed whose position is ahead of the recent changes does not take what comes before it', () => {
  const recent = recentWith('c1');
  const ahead = recent.join(at(3), everything);
  for (const number of [2, 3, 4]) recent.add([pausedBy('c1', number)], at(number));
  expect(taken(ahead)).toEqual([at(4)]);
});

test('a feed has reached the end when it has taken all, also when nothing concerned it', () => {
  const recent = recentWith('c1');
  const [taking, other] = [recent.join(at(1), of('c1')), recent.join(at(1), of('c2'))];
  recent.add([pausedBy('c1', 2)], at(2));
  expect([taking?.reached, other?.reached]).toEqual([undefined, at(2)]);
  taken(taking);
  expect(taking?.reached).toBe(at(2));
});

test('a change wakes the feeds that it concerns, no others', async () => {
  const recent = recentWith();
  const [own, other] = [recent.join(at(0), of('c1')), recent.join(at(0), of('c2'))];
  const woken: string[] = [];
  void own?.more(signal).then(() => woken.push('own'));
  void other?.more(signal).then(() => woken.push('other'));
  recent.add([pausedBy('c1', 1)], at(1));
  await new Promise(setImmediate);
  expect(woken).toEqual(['own']);
  recent.end();
  await new Promise(setImmediate);
  expect(woken).toEqual(['own', 'other']);
});

test('the changes of a busy time are given together', async () => {
  const recent = recentWith();
  const log = { recent: async () => recent } as unknown as ChangeLog;
  const feed = new Feed(log, { ...everything, after: at(0), signal, turn: async () => {} });
  const changes = feed.changes();
  const positionsOfNext = async () => (await changes.next()).value?.map(({ position }: ChangeMessage) => position);
  const first = positionsOfNext();
  await new Promise(setImmediate);
  recent.add([pausedBy('c1', 1)], at(1));
  expect(await first).toEqual([at(1)]);
  const rest = positionsOfNext();
  for (const number of [2, 3]) {
    await new Promise(setImmediate);
    recent.add([pausedBy('c1', number)], at(number));
  }
  expect(await rest).toEqual([at(2), at(3)]);
});

test('a feed of a customer does not look at the changes of others, and takes its own when many were forgotten', () => {
  const recent = recentWith('c1', 'c2', 'c1');
  const own = recent.join(at(0), of('c2'));
  expect(own?.take(10)).toHaveLength(1);
  for (let number = 4; number <= 2 * MOST_KEPT; number += 1) recent.add([pausedBy('c1', number)], at(number));
  recent.add([pausedBy('c2', 2 * MOST_KEPT + 1)], at(2 * MOST_KEPT + 1));
  expect([own?.fellBehind, taken(own)]).toEqual([false, [at(2 * MOST_KEPT + 1)]]);
});

test('an error is reported by one feed only', () => {
  const recent = recentWith();
  recent.end({ error: new Error('away') });
  expect(() => recent.throwIfFailed()).toThrow('away');
  expect(() => recent.throwIfFailed()).not.toThrow();
});

describe('more changes than are kept', () => {
  const MANY = 2 * MOST_KEPT;
  function fill(recent: RecentChanges, after = 0) {
    for (let number = after + 1; number <= after + MANY; number += 1) recent.add([pausedBy('c1', number)], at(number));
  }

  test('a feed that did not take one of those that are forgotten fell behind; one that nothing concerned did not', () => {
    const recent = recentWith();
    const [slow, other] = [recent.join(at(0), everything), recent.join(at(0), of('c2'))];
    fill(recent);
    expect([slow?.fellBehind, other?.fellBehind]).toEqual([true, false]);
    expect(next(slow)).toBeUndefined();
    recent.add([pausedBy('c2', MANY + 1)], at(MANY + 1));
    expect(taken(other)).toEqual([at(MANY + 1)]);
  });

  test('a feed whose reader is so slow is cut after the last change that the reader has', async () => {
    const recent = recentWith('c1');
    const log = { recent: async () => recent } as unknown as ChangeLog;
    const feed = new Feed(log, { ...everything, after: at(0), signal, turn: async () => {} });
    const changes = feed.changes();
    expect((await changes.next()).value).toMatchObject([{ position: at(1) }]);
    fill(recent, 1);
    fill(recent, 1 + MANY);
    expect([await changes.next(), feed.reached]).toEqual([{ done: true, value: undefined }, at(1)]);
  });

  test('a feed that comes back for one that is forgotten has to read the log; for another it joins', () => {
    const recent = recentWith();
    fill(recent);
    const firstKept = MANY - MOST_KEPT;
    expect(recent.join(at(firstKept - 1), everything)).toBeUndefined();
    expect(taken(recent.join(at(firstKept), everything))).toHaveLength(MOST_KEPT);
    expect([recent.knows(at(firstKept - 1)), recent.knows(at(firstKept))]).toEqual([false, true]);
  });
});
