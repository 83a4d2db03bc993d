/**
 * Numbers of payment cards in texts. None may reach the store: it takes tokens of the payment provider (CHK-1). One in ten numbers
 * has the right check digit by chance, so a number counts only if it also begins and is as long as those that are issued.
 */

const SEPARATORS = /[ -]+/;
/** Digits in any grouping by blanks and hyphens, as many as there are: so a text is read once. */
const RUN = /\d(?:[ -]{0,2}\d)*/g;
/** What stands beside an id, a telephone or an address of the web, and makes the nearest digits a part of it. */
const BEFORE_ID = /[\w+/=-]/;
const AFTER_ID = /[\w-]/;

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
  const afterId = BEFORE_ID.test(text[start - 1] ?? '') ? run.replace(/^[^ ]*/, '') : run;
  const own = AFTER_ID.test(text[start + run.length] ?? '') ? afterId.replace(/[^ ]*$/, '') : afterId;
  return own.split(SEPARATORS).filter((group) => group !== '');
}

/** Digits and blanks of other scripts and widths count, too. */
export function hasCardNumber(written: string): boolean {
  const text = written.normalize('NFKC');
  return [...text.matchAll(RUN)].some(({ 0: run, index }) => hasOne(run, index, text));
}

const hasOne = (run: string, start: number, text: string): boolean =>
  run.length >= LEAST_DIGITS && cardNumberIn(groupsOf(run, start, text)) !== undefined;

const REMOVED = '[card number]';

/** For texts whose sender cannot correct them. */
export const withoutCardNumbers = (text: string): string =>
  text.replace(RUN, (run, start: number) => (hasOne(run, start, text) ? withoutThemIn(run.split(SEPARATORS)) : run));

function withoutThemIn(groups: Groups): string {
  const [first, last] = cardNumberIn(groups) ?? [];
  if (first === undefined || last === undefined) return groups.join(' ');
  return [...groups.slice(0, first), REMOVED, withoutThemIn(groups.slice(last + 1))].join(' ').trim();
}
