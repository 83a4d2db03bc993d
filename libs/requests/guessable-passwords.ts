import { type Refusal, refuse } from '#domain/kernel/decider';
import { normalText } from '#domain/kernel/text';

/*
 * Passwords that are among the first to be tried (NIST SP 800-63B-4, 3.1.1.2): the most common ones of breaches, what is made of
 * them in a simple way, rows of keys, and what stands in the account itself. No kinds of characters are asked for.
 */

/** 49,000 passwords, the most common first. Loaded when somebody chooses one: it takes a while. */
let commonOnes: Promise<ReadonlySet<string>> | undefined;
const loadCommonOnes = async (): Promise<ReadonlySet<string>> => {
  const { dictionary } = await import('@zxcvbn-ts/language-common');
  return new Set(dictionary['passwords-common']);
};

/** What is chosen, and what everybody knows of the account and its store. */
export async function refuseGuessable(
  password: string,
  known: readonly (string | undefined)[],
): Promise<Refusal | undefined> {
  commonOnes ??= loadCommonOnes();
  const folded = normalText(password).toLowerCase();
  if (isRow(folded) || (await isMadeOfCommon(folded, await commonOnes)))
    return guessable('so many people use this password, or one like it, that it is among the first to be tried');
  return isMadeOfKnown(folded, known)
    ? guessable('the password consists of the e-mail address or the name of the store')
    : undefined;
}

const guessable = (message: string): Refusal => ({
  ...refuse('password-guessable', message, 'ACC-1'),
  field: 'password',
});

const ROWS = ['0123456789', '1234567890', 'abcdefghijklmnopqrstuvwxyz', 'qwertyuiopasdfghjklzxcvbnm'].flatMap((row) => [
  row.repeat(20),
  [...row].reverse().join('').repeat(20),
]);
const isRow = (text: string): boolean => ROWS.some((row) => row.includes(text));

const SHORT_PART = 8;

function isMadeOfCommon(text: string, common: ReadonlySet<string>): boolean {
  const part = repeatedPartOf(text);
  const isCommon = (word: string) => common.has(word);
  return (
    isCommon(text) ||
    (part !== undefined && (part.length < SHORT_PART || isCommon(part))) ||
    isCommonWithEnds(text, isCommon) ||
    Array.from(text, (_, at) => at).some((at) => isCommon(text.slice(0, at)) && isCommon(text.slice(at)))
  );
}

/** The part of which a text is twice or more, the last time perhaps only its beginning. */
function repeatedPartOf(text: string): string | undefined {
  for (let length = 1; length <= text.length / 2; length++)
    if (text.slice(length) === text.slice(0, -length)) return text.slice(0, length);
  return undefined;
}

const ENDS = /^[^\p{L}]+|[^\p{L}]+$/gu;

/** A common one with a year, a number or signs at its ends. */
function isCommonWithEnds(text: string, isCommon: (word: string) => boolean): boolean {
  const word = text.replace(ENDS, '');
  return word.length >= 4 && text.length - word.length <= SHORT_PART && isCommon(word);
}

const lettersOf = (text: string): string =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');
const LEAST_OF_WORD = 4;
const LEAST_OF_ITS_OWN = 8;

/** Nothing remains of it that would be a password. */
function isMadeOfKnown(text: string, known: readonly (string | undefined)[]): boolean {
  const words = known
    .flatMap((written = '') => [written, ...written.split(/[^\p{L}\p{N}]+/u)])
    .map(lettersOf)
    .filter((word) => word.length >= LEAST_OF_WORD)
    .sort((one, other) => other.length - one.length);
  const letters = lettersOf(text);
  const left = words.reduce((rest, word) => rest.replaceAll(word, ''), letters);
  return left.length < letters.length && left.length < LEAST_OF_ITS_OWN;
}
