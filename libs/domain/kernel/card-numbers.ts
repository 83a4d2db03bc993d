/**
 * Numbers of payment cards in texts. None may reach the store: it takes tokens of the payment provider (CHK-1). One in ten numbers
 * has the right check digit by chance, so a number counts only if it also begins and is as long as those that are issued.
 */

const SEPARATORS = /[ \t\p{Pd}\u2212]+/u;
/** Digits in any grouping by blanks and dashes, as many as there are: so a text is read once. Lines stay apart, for lists of ids. */
const RUN = /\d(?:[ \t\p{Pd}\u2212]{0,2}\d)*/gu;
/** What stands beside an id, a telephone or an address of the web, and makes the nearest digits a part of it. */
const BEFORE_ID = /[\w+/=\p{Pd}\u2212]/u;
const AFTER_ID = /[\w\p{Pd}\u2212]/u;

const ISSUED = [
  // Visa
  /^4(\d{12}|\d{15}|\d{18})$/,
  // Mastercard
  /^(5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}$/,
  // American Express
  /^3[47]\d{13}$/,
  // Diners Club
  /^3(0[0-5]|[689]\d)\d{11,16}$/,
  // JCB
  /^35(2[89]|[3-8]\d)\d{12}$/,
  // Discover, UnionPay, Maestro
  /^6\d{15,18}$/,
];

/** The check digit of ISO/IEC 7812. */
function hasCheckDigit(digits: string): boolean {
  let sum = 0;
  for (let place = 0; place < digits.length; place++) {
    const digit = Number(digits[digits.length - 1 - place]);
    sum += place % 2 === 0 ? digit : ((digit * 2) % 10) + (digit > 4 ? 1 : 0);
  }
  return sum % 10 === 0;
}

const LEAST_DIGITS = 13;
const MOST_DIGITS = 19;

const isCardNumber = (digits: string): boolean =>
  digits.length >= LEAST_DIGITS && ISSUED.some((form) => form.test(digits)) && hasCheckDigit(digits);

type Groups = readonly string[];
type Found = readonly [first: number, last: number];

/** Also one that stands beside other numbers. @returns its first and its last group */
function cardNumberIn(groups: Groups): Found | undefined {
  for (const first of groups.keys()) {
    let digits = '';
    for (let last = first; last < groups.length && digits.length < MOST_DIGITS; last++) {
      digits += groups[last];
      if (isCardNumber(digits)) return [first, last];
    }
  }
  return undefined;
}

/** The groups of a run, without those that are joined to an id beside it. */
function groupsOf(run: string, start: number, text: string): Groups {
  const afterId = BEFORE_ID.test(text[start - 1] ?? '') ? run.replace(/^\S*/, '') : run;
  const own = AFTER_ID.test(text[start + run.length] ?? '') ? afterId.replace(/\S*$/, '') : afterId;
  return own.split(SEPARATORS).filter((group) => group !== '');
}

/** How the digits stand on a card. So grouped, whatever people and telephones put between: `4242.4242.4242.4242`, `4242 - 4242 …`. */
const PRINTED = ['4,4,4,4', '4,4,4,4,3', '4,4,4,1', '4,6,5', '4,6,4'].map((groups) => groups.split(',').map(Number));
const GAP = /^[^\p{L}\p{N}]{1,3}$/u;

type Place = readonly [start: number, end: number];

function printedIn(text: string): readonly Place[] {
  const groups = [...text.matchAll(/\d+/g)].map(({ 0: { length }, index }): Place => [index, index + length]);
  const found: Place[] = [];
  for (const first of groups.keys()) {
    const place = printedAt(text, groups, first);
    if (place && place[0] >= (found.at(-1)?.[1] ?? 0)) found.push(place);
  }
  return found;
}

function printedAt(text: string, groups: readonly Place[], first: number): Place | undefined {
  for (const lengths of PRINTED) {
    const number = groups.slice(first, first + lengths.length);
    if (!lengths.every((length, index) => length === lengthOf(number[index]))) continue;
    const [[start], [, end]] = [number[0] as Place, number.at(-1) as Place];
    const areTogether = number.slice(1).every(([begins], index) => GAP.test(text.slice(number[index]?.[1], begins)));
    const isAlone = !BEFORE_ID.test(text[start - 1] ?? '') && !AFTER_ID.test(text[end] ?? '');
    if (areTogether && isAlone && isCardNumber(text.slice(start, end).replace(/\D/g, ''))) return [start, end];
  }
  return undefined;
}

const lengthOf = ([start, end]: Place = [0, 0]): number => end - start;

/** Digits of other scripts and widths count, too, and what nobody sees does not part them. */
const plain = (written: string): string =>
  written
    .normalize('NFKC')
    .replace(/\p{Cf}/gu, '')
    .replace(/(?!\d)\p{Nd}/gu, digitOf);

/** Each script has its digits in a row, from zero on. */
function digitOf(character: string): string {
  const code = character.codePointAt(0) as number;
  let digit = 0;
  while (digit < 9 && /\p{Nd}/u.test(String.fromCodePoint(code - digit - 1))) digit += 1;
  return String(digit);
}

export const hasCardNumber = (written: string): boolean => isIn(plain(written));

const isIn = (text: string): boolean =>
  printedIn(text).length > 0 || [...text.matchAll(RUN)].some(({ 0: run, index }) => hasOne(run, index, text));

const hasOne = (run: string, start: number, text: string): boolean =>
  run.length >= LEAST_DIGITS && cardNumberIn(groupsOf(run, start, text)) !== undefined;

const REMOVED = '[card number]';

/** For texts whose sender cannot correct them. */
export function withoutCardNumbers(written: string): string {
  const text = plain(written);
  if (!isIn(text)) return written;
  return withoutPrinted(text).replace(RUN, (run, start: number, all: string) =>
    hasOne(run, start, all) ? withoutThemIn(run.split(SEPARATORS)) : run,
  );
}

const withoutPrinted = (text: string): string =>
  printedIn(text).reduceRight((left, [start, end]) => left.slice(0, start) + REMOVED + left.slice(end), text);

function withoutThemIn(groups: Groups): string {
  const [first, last] = cardNumberIn(groups) ?? [];
  if (first === undefined || last === undefined) return groups.join(' ');
  return [...groups.slice(0, first), REMOVED, withoutThemIn(groups.slice(last + 1))].join(' ').trim();
}
