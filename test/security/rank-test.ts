/** Whether two samples of times come from the same distribution (Mann and Whitney, 1947). */
export interface RankTest {
  /** How probable a difference of this size is by chance. */
  readonly p: number;
  /** Of the second sample over the first, in the unit of both. */
  readonly medianDifference: number;
}

/** Two-sided, by the normal distribution, corrected for ties: for samples of 20 or more. */
export function rankTest(one: readonly number[], other: readonly number[]): RankTest {
  const all = [...one, ...other].toSorted((a, b) => a - b);
  const [m, n] = [one.length, other.length];
  const ranks = averageRanks(all);
  const u = one.reduce((sum, value) => sum + (ranks.get(value) as number), 0) - (m * (m + 1)) / 2;
  const ties = [...Map.groupBy(all, (value) => value).values()].reduce((sum, { length: t }) => sum + t ** 3 - t, 0);
  const variance = ((m * n) / 12) * (m + n + 1 - ties / ((m + n) * (m + n - 1)));
  // Half a step towards the middle: ranks are whole, the normal distribution is not.
  const distance = Math.max(0, Math.abs(u - (m * n) / 2) - 0.5);
  const p = variance === 0 ? 1 : Math.min(1, 2 * upperTail(distance / Math.sqrt(variance)));
  return { p, medianDifference: median(other) - median(one) };
}

/** The mean of the ranks of equal values. */
function averageRanks(sorted: readonly number[]): ReadonlyMap<number, number> {
  const ranks = new Map<number, number>();
  let before = 0;
  for (const [value, { length }] of Map.groupBy(sorted, (value) => value)) {
    ranks.set(value, before + (length + 1) / 2);
    before += length;
  }
  return ranks;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2;
}

/** Of the normal distribution; within 1.2e-7 of it (Numerical Recipes, erfc). */
function upperTail(z: number): number {
  const x = z / Math.SQRT2;
  const t = 1 / (1 + x / 2);
  const coefficients = [
    ...[-1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806],
    ...[0.27886807, -1.13520398, 1.48851587, -0.82215223, 0.17087277],
  ];
  const series = coefficients.reduceRight((sum, coefficient) => sum * t + coefficient, 0);
  return (t * Math.exp(-x * x + series)) / 2;
}
