/** Orders instants and ids, in the same way on every machine: unlike `localeCompare` it does not depend on a language. */
export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Text on one line: no control characters, no unpaired surrogates, not only space. */
export const ONE_LINE = /^(?=.*\S)[^\p{Cc}\p{Cs}\u2028\u2029]+$/u;

/** Somebody sees it: it is no space, no control or format character, no filler. */
const SEEN = /[^\s\p{Cc}\p{Cf}\p{Cs}\p{Default_Ignorable_Code_Point}\u2800]/u;

/** Embeddings, overrides and isolates of directions: they turn round what stands after a text, in mails and on terminals. */
const DIRECTIONS = /[\u202a-\u202e\u2066-\u2069]/gu;

/** Whether somebody who looks at the text sees anything of it. */
export const isSeen = (text: string): boolean => SEEN.test(text);
export const NOTHING_SEEN = 'must have a visible character';

/** For texts whose sender cannot correct them, and for names that were stored before they were refused. */
export const withoutDirections = (text: string): string => text.replace(DIRECTIONS, '');

/** Whether a line that people read (a name, a subject, a reason) can be one. Undefined: it can. */
export function wrongInName(line: string): string | undefined {
  if (!isSeen(line)) return NOTHING_SEEN;
  return withoutDirections(line) === line ? undefined : 'must have no characters that turn the direction of text';
}

/** An id that a caller sends. The ledger makes ids; those of stores and lead types are chosen once. */
export const ID = /^[A-Za-z0-9][A-Za-z0-9._~-]{0,99}$/;

/** Why somebody asks for something, in their words. */
export const isReason = (text: string): boolean => /^[^\p{Cc}]{1,500}$/u.test(text) && wrongInName(text) === undefined;
export const REASON_FORM = 'one line of text that people can see, at most 500 characters';
