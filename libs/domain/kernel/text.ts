/** Orders instants and ids, in the same way on every machine: unlike `localeCompare` it does not depend on a language. */
export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Text on one line: no control characters, no unpaired surrogates, not only space. */
export const ONE_LINE = /^(?=.*\S)[^\p{Cc}\p{Cs}\u2028\u2029]+$/u;
