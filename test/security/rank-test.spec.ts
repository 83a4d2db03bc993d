import { median, rankTest } from './rank-test.ts';

/** The same numbers on each run. */
function numbers(count: number, shift = 0, seed = 1): number[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return shift + (state / 2_147_483_647) * 10;
  });
}

test('two samples of one distribution do not differ, and one that is shifted by a tenth of its width does', () => {
  expect(rankTest(numbers(1000), numbers(1000, 0, 7)).p).toBeGreaterThan(0.01);
  const shifted = rankTest(numbers(1000), numbers(1000, 1, 7));
  expect(shifted.p).toBeLessThan(1e-6);
  expect(shifted.medianDifference).toBeGreaterThan(0.3);
});

test('the probability is the one worked out by hand: U = 35 of samples of 10 and 5, so z = 9.5 / √(200 / 3)', () => {
  const x = [0.8, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
  const y = [1.15, 0.88, 0.9, 0.74, 1.21];
  expect(rankTest(x, y).p).toBeCloseTo(0.244624, 5);
});

test('equal values are no difference, and ties are counted half', () => {
  expect(rankTest([1, 1, 1, 1], [1, 1, 1])).toEqual({ p: 1, medianDifference: 0 });
  expect(rankTest([1, 2, 2, 3], [1, 2, 2, 3]).p).toBe(1);
});

test('false alarms are about as rare as the probability says', () => {
  const alarms = Array.from({ length: 400 }, (_, index) =>
    rankTest(numbers(60, 0, 1000 + index), numbers(60, 0, 900_000 + 31 * index)),
  ).filter(({ p }) => p < 0.05);
  expect(alarms.length).toBeGreaterThan(4);
  expect(alarms.length).toBeLessThan(40);
});

test('a median is the middle, or between both middles', () => {
  expect([median([3, 1, 2]), median([4, 1, 2, 3])]).toEqual([2, 2.5]);
});
