import { isUnassigned } from './unassigned-characters.ts';

/*
 * The second form of the name of a business (DLV-3, ADR 45). Keyed hashes of it are stored for ever, so that it must not change:
 * another one would be a third form beside it. business-pairs.tsv has cases, and a test compares the forms of all characters.
 */

/** What is left of a letter when all capitals, small letters and final letters are one: "ẞ", "ß" and "SS" are "ss". */
const foldCase = (character: string): string => character.toLowerCase().toUpperCase().toLowerCase();

/** Invisible: joiners, soft hyphens, variation selectors. */
const IGNORED = /\p{Default_Ignorable_Code_Point}/gu;
/** They decompose to letters, or to a space and an accent. */
const TRADE_MARKS = /[©®℗℠™\u{1F16A}-\u{1F16C}]/gu;
const LOOSE_ACCENTS = /[´`΄᾽᾿῾]/gu;
/** They are inside of words, also those that Unicode has as letters. */
const APOSTROPHES = /['’‘‛′\u02B9-\u02DF\u02EC\u02EE]/gu;
/**
 * Marks on Latin, Greek and Cyrillic letters, on digits and on nothing. A mark that belongs to another script, or that
 * stands on a letter of one, changes the letter: it stays.
 */
const ACCENTS =
  /(?<![\p{L}--[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}]]\p{M}*)[\p{M}&&[\p{Script=Inherited}\p{Script=Common}\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}]]/gv;
const BETWEEN_WORDS = /[^\p{L}\p{N}\p{M}]+/gu;
/** "L.L.C.", "L. L. C." and "L L C" are one word. */
const BETWEEN_SINGLE_LETTERS = /(?<=(?:^| )\p{L}) (?=\p{L}(?: |$))/gu;

/** A character that Unicode 17 does not know is compared by its number, whatever later versions say about it. */
const known = (character: string): string =>
  isUnassigned(character) ? (character.codePointAt(0) as number).toString(16) : character;

/** The words of a name, without case, accents, symbols and punctuation. */
function wordsOf(name: string): readonly string[] {
  const decomposed = [...name]
    .map(known)
    .join('')
    .replace(IGNORED, '')
    .replace(TRADE_MARKS, ' ')
    .replace(LOOSE_ACCENTS, '')
    .normalize('NFKD');
  return [...decomposed]
    .map(foldCase)
    .join('')
    .normalize('NFKD')
    .replace(IGNORED, '')
    .replace(APOSTROPHES, '')
    .replace(ACCENTS, '')
    .replace(BETWEEN_WORDS, ' ')
    .trim()
    .replace(BETWEEN_SINGLE_LETTERS, '')
    .split(' ');
}

/** Legal endings are left out as long as something else is left. */
function withoutEndings(words: readonly string[], endings: readonly (readonly string[])[]): readonly string[] {
  const ending = endings.find(
    (one) => one.length < words.length && one.every((word, index) => word === words[words.length - one.length + index]),
  );
  return ending ? withoutEndings(words.slice(0, -ending.length), endings) : words;
}

/** The words of a list of endings, the longest first, so that the order of the list does not matter. */
const endingsOf = (legalEndings: readonly string[]): readonly (readonly string[])[] =>
  legalEndings
    .map(wordsOf)
    .filter(([first]) => first !== '')
    .sort((one, other) => other.length - one.length);

/**
 * The form by which names of businesses are compared: by full Unicode case folding and compatibility forms, without accents of
 * Latin, Greek and Cyrillic letters, symbols, punctuation, space and legal endings. A name of which nothing is left is its own form.
 * @param legalEndings as they are written: "Inc.", "S.A. de C.V."
 */
export function formOfBusiness(name: string, legalEndings: readonly string[]): string {
  const form = withoutEndings(wordsOf(name), endingsOf(legalEndings)).join('');
  // No form of another name begins with this sign.
  return form === '' ? `=${name}` : form;
}
