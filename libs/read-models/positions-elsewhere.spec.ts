import type { Position } from '#event-store/port';
import { PositionsElsewhere } from './positions-elsewhere.ts';

const [at1, at2] = ['0000000000000001', '0000000000000002'] as Position[] as [Position, Position];
const { signal } = new AbortController();

test('many who wait are answered by one look at a time, each when all of its read models are there', async () => {
  let underWay = 0;
  let most = 0;
  let looks = 0;
  const elsewhere = new PositionsElsewhere(async () => {
    underWay += 1;
    most = Math.max(most, underWay);
    await new Promise(setImmediate);
    underWay -= 1;
    looks += 1;
    return new Map([
      ['orders', at2],
      ['tickets', looks < 3 ? at1 : at2],
    ]);
  });
  const answered: string[] = [];
  const orders = Array.from({ length: 100 }, () => elsewhere.reached(['orders'], at2, signal));
  void Promise.all(orders).then(() => answered.push('orders'));
  await elsewhere.reached(['orders', 'tickets'], at2, signal).then(() => answered.push('both'));
  expect({ answered, most, looks }).toEqual({ answered: ['orders', 'both'], most: 1, looks: 3 });
});

test('who waits no longer is answered at once; who waits later is looked for again', async () => {
  const looked: string[] = [];
  const positions = new Map([['orders', at1]]);
  const elsewhere = new PositionsElsewhere(async () => {
    looked.push('look');
    return positions;
  });
  const left = new AbortController();
  const waiting = elsewhere.reached(['orders'], at2, left.signal);
  left.abort();
  await waiting;
  positions.set('orders', at2);
  await elsewhere.reached(['orders'], at2, signal);
  expect(looked.length).toBeGreaterThan(1);
});

test('an error of the database reaches all who wait', async () => {
  const elsewhere = new PositionsElsewhere(() => Promise.reject(new Error('away')));
  const waiting = [1, 2].map(() => elsewhere.reached(['orders'], at1, signal));
  const outcomes = await Promise.allSettled(waiting);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
});
