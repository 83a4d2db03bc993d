/*
 * The form of names of businesses that DLV-3 compares, as an auditor makes it: letter by letter, and without the code that the
 * store makes its keys with. Both agree on business-pairs.tsv.
 */

/** Which words a name has, and which of them are its legal ending, is told by this; other signs end a word. */
type Kind = 'ignored' | 'letter' | 'other';

const tradeMarks = new Set(['©', '®', '℗', '℠', '™', '\u{1f16a}', '\u{1f16b}', '\u{1f16c}']);
const looseAccents = new Set(['´', '`', '΄', '᾽', '᾿', '῾']);
const apostrophes = new Set(["'", '’', '‘', '‛', '′', '\u02ec', '\u02ee']);
const isApostrophe = (sign: string): boolean => apostrophes.has(sign) || (sign >= '\u02b9' && sign <= '\u02df');

const noCharacter = /^\p{Cn}$/u;
const invisible = /^\p{DI}$/u;
const letterOrNumber = /^[\p{L}\p{N}]$/u;
const letter = /^\p{L}$/u;
const mark = /^\p{M}$/u;
const ofAlphabets = /^[\p{sc=Latn}\p{sc=Grek}\p{sc=Cyrl}]$/u;
const ofNoScript = /^[\p{sc=Zinh}\p{sc=Zyyy}]$/u;

/** One name, read from left to right. */
class Reader {
  readonly words: string[] = [];
  #word = '';
  /** Whether a mark changes the letter that it would stand on. */
  #marksCount = false;

  read(sign: string): void {
    switch (this.#kindOf(sign)) {
      case 'letter':
        this.#word += sign;
        break;
      case 'other':
        this.end();
        break;
      case 'ignored':
        break;
    }
  }

  end(): void {
    if (this.#word !== '') this.words.push(this.#word);
    this.#word = '';
  }

  #kindOf(sign: string): Kind {
    if (isApostrophe(sign)) return 'ignored';
    if (mark.test(sign)) {
      const hasOwnScript = !ofAlphabets.test(sign) && !ofNoScript.test(sign);
      return hasOwnScript || this.#marksCount ? 'letter' : 'ignored';
    }
    this.#marksCount = letter.test(sign) && !ofAlphabets.test(sign);
    return letterOrNumber.test(sign) ? 'letter' : 'other';
  }
}

function decomposed(name: string): string {
  let text = '';
  for (const sign of name) {
    if (noCharacter.test(sign)) text += sign.codePointAt(0)?.toString(16);
    else if (tradeMarks.has(sign)) text += ' ';
    else if (!invisible.test(sign) && !looseAccents.has(sign)) text += sign;
  }
  return text.normalize('NFKD');
}

/** Capitals of small letters: "ß" becomes "SS", a final sigma a sigma. A capital that has its own small letter first gets that. */
const withoutCase = (text: string): string => {
  let same = '';
  for (const sign of text) for (const capital of sign.toLowerCase().toUpperCase()) same += capital.toLowerCase();
  return same.normalize('NFKD');
};

const isSingleLetter = (word: string | undefined): boolean => word !== undefined && letter.test(word);

function wordsOf(name: string): readonly string[] {
  const reader = new Reader();
  for (const sign of withoutCase(decomposed(name))) if (!invisible.test(sign)) reader.read(sign);
  reader.end();
  const words: string[] = [];
  let wasSingle = false;
  for (const word of reader.words) {
    const isSingle = isSingleLetter(word);
    if (isSingle && wasSingle) words[words.length - 1] += word;
    else words.push(word);
    wasSingle = isSingle;
  }
  return words;
}

/** How many words at the end of a name are a legal ending. One word at least is left. */
function endingIn(words: readonly string[], endings: readonly (readonly string[])[]): number {
  let longest = 0;
  for (const ending of endings) {
    const isEnding = ending.length < words.length && words.slice(-ending.length).join(' ') === ending.join(' ');
    if (isEnding) longest = Math.max(longest, ending.length);
  }
  return longest;
}

/** @returns a text that is equal for names of one business, in the second form */
export function nameOfBusiness(name: string, legalEndings: readonly string[]): string {
  const endings = legalEndings.map(wordsOf).filter((words) => words.length > 0);
  let words = wordsOf(name);
  for (let length = endingIn(words, endings); length > 0; length = endingIn(words, endings))
    words = words.slice(0, -length);
  return words.length === 0 ? `as typed: ${name}` : words.join('');
}
