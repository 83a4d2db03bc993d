/** So many percent of a number, fractions and all: 16.1 % of 1000 is 161, although it computes to 161.00000000000003. */
export const percentOf = (whole: number, percent: number): number => Number(((whole * percent) / 100).toFixed(9));
