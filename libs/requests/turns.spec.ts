import { halfOfTheTime, startInTurns } from './turns.ts';

/** Work that takes longer than a turn, and waits for nothing. */
function work(): void {
  const since = performance.now();
  while (performance.now() - since < 6);
}

it('other work has its turn between long items, and the results are in their order', async () => {
  const order: string[] = [];
  const between = () => {
    if (order.at(-1) !== 'other work') order.push('other work');
    if (!order.includes('item 3')) setImmediate(between);
  };
  setImmediate(between);
  const results = await startInTurns([1, 2, 3], async (item) => {
    work();
    order.push(`item ${item}`);
    return item * 10;
  });
  // A busy machine may give others a turn before the first item, too.
  expect(order.join()).toMatch(/item 1,other work,item 2,other work,item 3/);
  expect(results).toEqual([10, 20, 30]);
});

it('the failure of one item is reported after all have started', async () => {
  const started: number[] = [];
  const starting = startInTurns([1, 2, 3], async (item) => {
    work();
    started.push(item);
    if (item === 1) throw new Error('no');
  });
  await expect(starting).rejects.toThrow('no');
  expect(started).toEqual([1, 2, 3]);
});

it('half of the time is for others: many who have work wait after some of it, and work in the order in which they asked', async () => {
  const turn = halfOfTheTime();
  const order: string[] = [];
  const other = () => {
    if (order.at(-1) !== 'other work') order.push('other work');
    if (!order.includes('item 3')) setTimeout(other);
  };
  setTimeout(other);
  const asked = [1, 2, 3].map(async (item) => {
    await turn();
    await Promise.resolve();
    work();
    order.push(`item ${item}`);
  });
  await Promise.all(asked);
  expect(order.join()).toMatch(/item 1,other work,item 2,other work,item 3/);
});
