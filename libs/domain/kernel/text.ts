import { z } from 'zod';
import { hasCardNumber } from './card-numbers.ts';

/**
 * The one schema of texts that come from outside: over HTTP, in files, from the command line and in the answers of other
 * services (ADR 49). Whatever a door takes can be stored, shown and compared: PostgreSQL stores neither NUL nor half a
 * surrogate pair, and the same letters in two forms would be two texts. Lengths are in characters (code points), as in JSON
 * Schema.
 */

/** Orders instants and ids, in the same way on every machine: unlike `localeCompare` it does not depend on a language. */
export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Text on one line: no control characters, no unpaired surrogates, not only space. */
const ONE_LINE = /^(?=.*\S)[^\p{Cc}\p{Cs}\u2028\u2029]+$/u;

/** Text that may have several lines. Of the control characters it may have tabs and ends of lines. */
const SEVERAL_LINES = /^(?=[\s\S]*\S)(?:[^\p{Cc}\p{Cs}]|[\t\r\n])+$/u;

/** Somebody sees it: it is no space, no control or format character, no filler. */
const SEEN = /[^\s\p{Cc}\p{Cf}\p{Cs}\p{Default_Ignorable_Code_Point}\u2800]/u;

/** Embeddings, overrides and isolates of directions: they turn round what stands after a text, in mails and on terminals. */
const DIRECTIONS = /[\u202a-\u202e\u2066-\u2069]/gu;

/** Whether somebody who looks at the text sees anything of it. */
export const isSeen = (text: string): boolean => SEEN.test(text);
const NOTHING_SEEN = 'must have a visible character';

/** For texts whose sender cannot correct them, and for names that were stored before they were refused. */
export const withoutDirections = (text: string): string => text.replace(DIRECTIONS, '');

/** Whether a line that people read (a name, a subject, a reason) can be one. Undefined: it can. */
export function wrongInName(line: string): string | undefined {
  if (!isSeen(line)) return NOTHING_SEEN;
  return withoutDirections(line) === line ? undefined : 'must have no characters that turn the direction of text';
}

/** An id that a caller sends. The ledger makes ids; those of stores and lead types are chosen once. */
export const ID = /^[A-Za-z0-9][A-Za-z0-9._~-]{0,99}$/;

export interface TextForm {
  readonly lines: 'one' | 'several';
  /** The most characters. */
  readonly most: number;
  /** It is compared with one that was sent before, and nobody need see it: a code, a token. */
  readonly exact?: true;
  /** Whether a long number is no wonder: anywhere in it (a telephone), or if it is nothing else (an id of another system). */
  readonly digits?: 'anywhere' | 'alone';
}

/** The form in which every text is stored and compared: letters that can be written in two ways are composed (NFC). */
export const normalText = (text: string): string => text.normalize('NFC');

/** In characters: one outside the basic plane counts once. */
export function hasAtMost(most: number, text: string): boolean {
  if (text.length <= most) return true;
  return text.length <= 2 * most && [...text].length <= most;
}

/** What is wrong with a text, as a part of a sentence about its field. Undefined: nothing. */
export function wrongInText(text: string, { lines, most, exact, digits }: TextForm): string | undefined {
  if (text.trim() === '') return 'must not be empty';
  const pattern = lines === 'one' ? ONE_LINE : SEVERAL_LINES;
  if (hasAtMost(most, text) && pattern.test(text)) {
    if (hasCardNumber(text) && !isOther(text, digits)) return CARD_NUMBER;
    return exact ? undefined : wrongInShown(text, lines);
  }
  return lines === 'one'
    ? `must be one line of text, at most ${most} characters`
    : `must be a text of at most ${most} characters`;
}

const isOther = (text: string, digits: TextForm['digits']): boolean =>
  digits === 'anywhere' || (digits === 'alone' && /^\d+$/.test(text));

const CARD_NUMBER = 'must not contain the number of a payment card';

function wrongInShown(text: string, lines: TextForm['lines']): string | undefined {
  if (lines === 'one') return wrongInName(text);
  return isSeen(text) ? undefined : NOTHING_SEEN;
}

/** @param mend what is taken out of a text whose sender cannot correct it */
const textOf = (form: TextForm, mend: (text: string) => string = (text) => text) =>
  z
    .string()
    .overwrite((text) => normalText(mend(text)))
    .trim()
    .superRefine((text, context) => {
      const message = wrongInText(text, form);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    })
    .meta({ minLength: 1, maxLength: form.most });

/** A field with one line of text. Spaces at its ends are dropped. */
export const line = (most = 200, mend?: (text: string) => string) => textOf({ lines: 'one', most }, mend);

/** A telephone number, as somebody wrote it. */
export const telephoneLine = (mend?: (text: string) => string) =>
  textOf({ lines: 'one', most: 50, digits: 'anywhere' }, mend);

/** A field whose text may have several lines. */
export const severalLines = (most: number, mend?: (text: string) => string, digits?: TextForm['digits']) =>
  textOf({ lines: 'several', most, ...(digits && { digits }) }, mend);

/** Why somebody asks for something, in their words. */
export const isReason = (text: string): boolean => wrongInText(text, { lines: 'one', most: 500 }) === undefined;
export const REASON_FORM = 'one line of text that people can see, at most 500 characters';

/** @returns the value with every text in it changed, and with the names of members changed, by default in the same way */
export function withEachText<Value>(
  value: Value,
  change: (text: string) => string,
  changeName: (name: string) => string = change,
): Value {
  if (typeof value === 'string') return change(value) as Value;
  if (Array.isArray(value)) return value.map((member) => withEachText(member, change, changeName)) as Value;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [changeName(name), withEachText(member, change, changeName)]),
  ) as Value;
}

/** @returns a value from outside, with every text in it in normal form, also the names of members */
export const normalTexts = (value: unknown): unknown => withEachText(value, normalText);

interface WrongText {
  readonly path: readonly string[];
  readonly message: string;
}

const WRONG_CHARACTERS = 'must not contain control characters or halves of characters';

/** The texts in a value that have characters no door takes, also among the names of members. */
export function wrongTexts(value: unknown, lines: TextForm['lines'], path: readonly string[] = []): WrongText[] {
  if (typeof value === 'string') {
    const message = wrongInside(value, lines, path);
    return message === undefined ? [] : [{ path, message }];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    // With the path of its parent: the name is not repeated.
    if (hasWrongCharacter(name, 'one')) return [{ path, message: `the name of a member ${WRONG_CHARACTERS}` }];
    if (isSearched(name) && hasCardNumber(name)) return [{ path, message: CARD_NUMBER }];
    return wrongTexts(member, lines, [...path, name]);
  });
}

/** Their schemas say themselves which numbers they take. */
const OF_NUMBERS = ['telephone', 'extraFields'];
/** No field takes a longer text. */
const MOST_LOOKED_THROUGH = 20_000;

function wrongInside(text: string, lines: TextForm['lines'], path: readonly string[]): string | undefined {
  if (hasWrongCharacter(text, lines)) return WRONG_CHARACTERS;
  const isChecked = isSearched(text) && !OF_NUMBERS.some((name) => path.includes(name));
  return isChecked && hasCardNumber(text) ? CARD_NUMBER : undefined;
}

const isSearched = (text: string): boolean => text.length <= MOST_LOOKED_THROUGH;

/** An empty text, or one of spaces, is the business of its field. */
const hasWrongCharacter = (text: string, lines: TextForm['lines']): boolean =>
  !(lines === 'one' ? ONE_LINE : SEVERAL_LINES).test(`x${text}`);

const NOT_SHOWN = '\ufffd';
const NOT_IN_A_TEXT = /[\p{Cc}\p{Cs}\u2028\u2029]/gu;

/**
 * What another service answers, with every text in it cleaned and cut: it is about something that has happened already, so
 * it cannot be refused.
 */
export const cleanTexts = <Value>(value: Value, most = 2000): Value =>
  withEachText(
    value,
    (text) => cleanText(text, most),
    (name) => name,
  );

const cleanText = (text: string, most: number): string => {
  const clean = normalText(text.slice(0, 2 * most).replace(NOT_IN_A_TEXT, NOT_SHOWN));
  return hasAtMost(most, clean) ? clean : [...clean].slice(0, most).join('');
};

/** PostgreSQL stores neither. With `u`, only surrogates without their other half match. */
const UNSTORABLE = /[\0\p{Cs}]/gu;

/**
 * What an event says, with U+FFFD for what a row cannot store. No door takes such texts today; older versions did, and the log
 * has them for ever.
 */
export const storableTexts = <Value>(value: Value): Value =>
  withEachText(value, (text) => text.replace(UNSTORABLE, NOT_SHOWN));

const NOT_IN_SEVERAL_LINES = /(?![\t\r\n])[\p{Cc}\p{Cs}]/gu;

/**
 * What an older version stored, as it leaves the store: U+FFFD stands for each character that no text has today. What turns the
 * direction of a text is left out, as it is of a contact that comes in.
 */
export const shownTexts = <Value>(value: Value): Value =>
  withEachText(value, (text) => withoutDirections(text.replace(NOT_IN_SEVERAL_LINES, NOT_SHOWN)));
