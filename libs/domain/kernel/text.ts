/** Orders instants and ids, in the same way on every machine: unlike `localeCompare` it does not depend on a language. */
export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Text on one line: no control characters, no unpaired surrogates, not only space. */
export const ONE_LINE = /^(?=.*\S)[^\p{Cc}\p{Cs}\u2028\u2029]+$/u;

/** An id that a caller sends. The ledger makes ids; those of stores and lead types are chosen once. */
export const ID = /^[A-Za-z0-9][A-Za-z0-9._~-]{0,99}$/;

/** Why somebody asks for something, in their words. */
export const REASON = /^(?=.*\S)[^\p{Cc}]{1,500}$/u;
export const REASON_FORM = 'one line of text, at most 500 characters';
