/** A percentage of a number, not rounded: 16.1 % of 1000 is 161, although floating point gives 161.00000000000003. */
export const percentOf = (whole: number, percent: number): number => Number(((whole * percent) / 100).toFixed(9));
