import { plain, usualColumn } from './column-names.ts';
import type { KnownExport } from './exports.ts';

/** What a column of a list of persons has: `either` if its name only mentions numbers or addresses, among other words. */
export type PersonField = 'telephone' | 'email' | 'either';

const BESIDE =
  'home|work|business|office|company|primary|main|other|first|second|secondary|third|alternate|alternative|alt|additional|' +
  'daytime|day|evening|user|customer|contact|consumer|lead|personal|private|preferred|best|your|numbers?|num|nr|no|value|\\d';
const OF_NUMBERS = 'tele(?:ph|f)on[eo]?s?|phones?|mobiles?|cells?|landlines?|whatsapp|fax|tels?|msisdn|e164';
const OF_ADDRESSES = 'e?mails?';

/** Plain names of nothing but words about numbers or addresses: Phone 2, Work e-mail, E-mail 2 address. */
const named = {
  telephone: new RegExp(`^(?:${BESIDE})*(?:${OF_NUMBERS})(?:${BESIDE}|${OF_NUMBERS})*$`),
  email: new RegExp(`^(?:${BESIDE})*(?:${OF_ADDRESSES})(?:${BESIDE}|addresse?s?|addr|id)*$`),
};

/** Short words count only by themselves: an excellent hotel is no cell or tel. */
const MENTIONED =
  /phone|telefon|mobile|whats ?app|landline|msisdn|email|\b(?:e? ?mails?|tels?|cells?|cel|fax|dnc)\b|\b(?:contact|call)\b.*\b(?:number|no|nr)s?\b|\b(?:number|no|nr)s?\b.*\b(?:contact|call)\b/;

/** With accents taken off: Téléphone. */
const wordsOf = (name: string): string =>
  name
    .normalize('NFD')
    .replace(/\p{Mark}/gu, '')
    .replace(/(\p{Ll})(?=\p{Lu})/gu, '$1 ')
    .toLowerCase()
    .split(/[^\p{Letter}]+/u)
    .join(' ');

/** Lists of persons have more such columns than leads. One that is read in vain costs nothing; one that is overlooked, a person. */
export function personField(name: string, knownExport?: KnownExport): PersonField | undefined {
  const text = plain(name.normalize('NFD'));
  const says = (field: 'telephone' | 'email') =>
    usualColumn(name) === field || named[field].test(text) || knownExport?.columns[field]?.includes(text);
  if (says('telephone')) return 'telephone';
  if (says('email')) return 'email';
  return MENTIONED.test(wordsOf(name)) ? 'either' : undefined;
}

/** The columns that name a person, by index. */
export interface PersonColumns {
  readonly telephones: readonly number[];
  readonly emails: readonly number[];
  readonly either: readonly number[];
  readonly ignored: readonly number[];
}

export function columnsOf(fields: readonly (PersonField | undefined)[]): PersonColumns {
  const at = (wanted: PersonField | undefined) => fields.flatMap((field, index) => (field === wanted ? [index] : []));
  return { telephones: at('telephone'), emails: at('email'), either: at('either'), ignored: at(undefined) };
}

const WITH_OTHER_DIGITS = ['postalCode', 'capturedAt', 'consentAt', 'consentIp'];

/** Whether the digits of a column are known to be something else than a telephone number. */
export const hasOtherDigits = (name: string): boolean =>
  WITH_OTHER_DIGITS.includes(usualColumn(name) ?? '') || /\bids?$/.test(wordsOf(name).trim());
