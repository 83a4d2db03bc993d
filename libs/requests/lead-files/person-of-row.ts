import { isIP } from 'node:net';
import { textOfCell } from '#domain/kernel/spreadsheet-cells';
import { contact } from '#domain/leads/contact';
import { type CountryOfNumbers, withCountry } from '#domain/leads/telephone';
import { cellsOf } from './csv-records.ts';
import { type Names, nameOf } from './header.ts';
import { reasonOf, shortened } from './lead-file-row.ts';
import { columnsOf, hasOtherDigits, type PersonColumns, personField } from './person-columns.ts';
import { withoutMark } from './row-values.ts';

/** A person, by all numbers and addresses of a row. */
export interface PersonOfRow {
  readonly telephones: readonly string[];
  readonly emails: readonly string[];
  /** What of the row was not understood, and why. */
  readonly notUnderstood?: string;
}

/** Or why there is none. */
type Read = { readonly person: PersonOfRow } | string;

type Field = 'telephone' | 'email';

/** In a file without a header, the only column may have either. */
export type ColumnsOfRow = Names & PersonColumns;

/** @param wrong what else was not understood */
export function personOfCells(
  header: ColumnsOfRow,
  cells: readonly string[],
  country: CountryOfNumbers,
  wrong: readonly string[] = [],
): Read {
  const { names, withoutHeader } = header;
  const texts = (columns: readonly number[]) => columns.map((index) => textIn(cells[index]));
  const [telephones, emails] = [texts(header.telephones), texts(header.emails)];
  for (const text of texts(header.either)) {
    if (text.includes('@')) emails.push(text);
    const number = text.replace(ADDRESS, ' ');
    if (hasNumber(number) ? !isDate(number) : withoutHeader && number === text) telephones.push(number);
  }
  const overlooked = header.ignored.filter((index) => isOverlooked(names[index] ?? '', textIn(cells[index]), country));
  const told = overlooked.map((index) => `"${shortened(nameOf(names, index), LONGEST_NAME)}" ${OVERLOOKED}`);
  return personIn(telephones, emails, country, [...wrong, ...told]);
}

const LONGEST_NAME = 100;
const OVERLOOKED = 'is not read, and has what looks like a telephone number or an e-mail address';

const textIn = (cell = ''): string => textOfCell(cell.trim()).trim();

const ADDRESS = /[^\s;,|/<>()"]*@[^\s;,|/<>()"]*/g;

const isDate = (text: string): boolean =>
  /^(?:\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./]\d{4})(?:$|[T ,])/.test(text);

/** Whether what nobody reads looks like a number, and nothing else, or has an address. */
const isOverlooked = (name: string, text: string, country: CountryOfNumbers): boolean =>
  partsOfAddresses(text).some((part) => part.includes('@') && typeof parsed('email', part) === 'object') ||
  (hasNumber(text) && !hasOtherDigits(name) && !isDate(text) && !isIP(text) && onlyNumbersIn(text, country).length > 0);

/** Damage that stands for a byte that is no text, or is one that no text has. */
const NO_TEXT = /[\ufffd\0]/;

/**
 * A row whose characters or cells are damaged. Where it has the cells that the header names, those that are whole count. Otherwise a
 * value may stand as many places beside its column as there are cells too many or too few; there, only what is nothing but a number
 * or an address counts.
 * @param damage is told with the person, and is why there is none
 */
export function personOfDamagedRow(
  header: ColumnsOfRow,
  readable: string,
  damage: string,
  country: CountryOfNumbers,
): Read {
  const { names, delimiter } = header;
  const cells = cellsOf(readable, delimiter);
  // What stands in one cell may be several rows, between a forgotten quote and the next.
  if (typeof cells !== 'string' && cells.length === names.length && !hasLines(readable)) {
    const whole = cells.map((cell) => (NO_TEXT.test(cell) ? '' : cell));
    return damaged(personOfCells(header, whole, country), damage);
  }
  if (isWholeByItsLines(header, cells)) return personOfCells(header, cells, country);
  const rows = readable.split(/[\r\n]+/).map((line) => cellsIn(line, delimiter));
  const valuesOf = (field: Field, onlyIn: (cell: string) => readonly string[]) =>
    rows
      .flatMap((row) => cellsBeside([...header[`${field}s`], ...header.either], row, names.length))
      // A quote that has lost its other one is no part of a value.
      .flatMap((cell) => onlyIn(textIn(cell).replaceAll('"', '')));
  const telephones = valuesOf('telephone', (cell) => onlyNumbersIn(cell, country));
  const emails = valuesOf('email', onlyAddressesIn);
  return damaged(telephones.length + emails.length > 0 ? { person: { telephones, emails } } : damage, damage);
}

const hasLines = (text: string): boolean => /[\r\n]/.test(text);

/** What may be several rows is read all the same where it stands in cells of which each line is read. */
const isWholeByItsLines = (header: ColumnsOfRow, cells: readonly string[] | string): cells is readonly string[] =>
  typeof cells !== 'string' &&
  cells.length === header.names.length &&
  cells.every((cell, index) => !hasLines(cell) || !header.ignored.includes(index));

/** What was read of a row that is damaged as well. */
export function damaged(read: Read, damage: string): Read {
  if (typeof read === 'string') return damage;
  const { notUnderstood, ...person } = read.person;
  return { person: { ...person, notUnderstood: [damage, ...(notUnderstood ? [notUnderstood] : [])].join('; ') } };
}

function cellsIn(line: string, delimiter: string): readonly string[] {
  const cells = cellsOf(line, delimiter);
  return typeof cells === 'string' ? line.replaceAll('"', '').split(delimiter) : cells;
}

function cellsBeside(columns: readonly number[], cells: readonly string[], columnCount: number): readonly string[] {
  const beside = cells.length - columnCount;
  const [most, least] = [Math.max(0, beside), Math.min(0, beside)];
  return cells.filter((_, index) => columns.some((column) => column + least <= index && index <= column + most));
}

const NOTHING_BUT_A_NUMBER =
  /^(?:p:|tel:)?[\p{Nd}\p{Zs}+().\-\u2010-\u2015/]+(?:(?:ext(?:ension)?\.?|x|#)\s*\d{1,7})?$/iu;

function onlyNumbersIn(cell: string, country: CountryOfNumbers): readonly string[] {
  const numbers = numbersIn(cell, country).map((part) =>
    NOTHING_BUT_A_NUMBER.test(part) ? parsed('telephone', part, country) : undefined,
  );
  return numbers.every((number) => typeof number === 'object') ? numbers.map(({ value }) => value) : [];
}

function onlyAddressesIn(cell: string): readonly string[] {
  const addresses = partsOfAddresses(cell).map((part) => parsed('email', part));
  return addresses.every((address) => typeof address === 'object') ? addresses.map(({ value }) => value) : [];
}

/** Whether a text is the telephone numbers or the addresses of a person, and nothing else. */
export function isOfPerson(text: string, country: CountryOfNumbers): boolean {
  return [onlyNumbersIn(text, country), onlyAddressesIn(text)].some(({ length }) => length > 0);
}

/** Whether a text may be meant as a number or an address. */
export const seemsOfPerson = (text: string): boolean => hasNumber(text) || text.includes('@');

/** As a lead, or just its numbers and addresses. The names of its values say what they are, as those of columns do. */
export function personOfObject(object: unknown, country: CountryOfNumbers): Read {
  if (!isRecord(object)) return 'is not an object';
  const { contact } = object;
  const wrong = isRecord(contact ?? {}) ? [] : ['contact: is not an object'];
  const values = [object, contact, isRecord(contact) && contact.extraFields]
    .filter(isRecord)
    .flatMap(Object.entries)
    .flatMap(([name, value]) => [value].flat().map((one: unknown) => [name, personField(name), one] as const))
    .filter(([, , value]) => value !== undefined && value !== null);
  const isRead = ([, field, value]: (typeof values)[number]) =>
    typeof value === 'string' || (typeof value === 'number' && (field === undefined || field === 'either'));
  const read = values.filter(isRead);
  const unread = values.filter((one) => !isRead(one)).flatMap(([, field]) => field ?? []);
  const header = { delimiter: '', names: read.map(([name]) => name), ...columnsOf(read.map(([, field]) => field)) };
  return personOfCells(
    header,
    read.map(([, , value]) => String(value)),
    country,
    [...wrong, ...unread.map((field) => `${field}: must be a text, or a list of texts`)],
  );
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The person of a row, or why it has none.
 * @param others what else was not understood
 */
function personIn(
  telephoneTexts: readonly string[],
  emailTexts: readonly string[],
  country: CountryOfNumbers,
  others: readonly string[],
): Read {
  const wrong = [...others, ...(emailTexts.some((text) => WORD_BEFORE_AN_ADDRESS.test(text)) ? [WORD_BEFORE] : [])];
  const taken = (field: Field, parts: readonly string[]) =>
    parts.flatMap((text) => {
      const read = parsed(field, text, country);
      if (typeof read === 'object') return [read.value];
      wrong.push(read);
      return [];
    });
  const telephones = taken(
    'telephone',
    telephoneTexts.flatMap((text) => numbersIn(text, country)),
  );
  const emails = taken('email', emailTexts.flatMap(addressesIn));
  const notUnderstood = [...new Set(wrong)].join('; ');
  if (telephones.length + emails.length === 0) return notUnderstood || 'has no telephone number and no e-mail address';
  return { person: { telephones, emails, ...(notUnderstood && { notUnderstood }) } };
}

/** It may be a part of the address. Names stand before brackets. */
const WORD_BEFORE_AN_ADDRESS = /(?<![^\s;,<>()"|/])[^\s;,<>()"@|/]+\s+[^\s;,<>()"@|/]+@/;
const WORD_BEFORE = 'email: a word stands before an address without brackets';

/** @returns the number or address, or why it is none */
function parsed(field: Field, text: string, country: CountryOfNumbers = 'US'): { readonly value: string } | string {
  const found = contact.safeParse({
    [field]: field === 'telephone' ? withCountry(withoutDecimals(withoutMark(text)), country) : bareAddress(text),
  });
  return found.success ? { value: found.data[field] as string } : reasonOf(found.error);
}

/** Programs save a column of numbers as decimals. */
const withoutDecimals = (number: string): string => number.replace(/^(\+?\d{7,15})\.0+$/, '$1');

/** As a link has it, or the end of a sentence. */
const bareAddress = (text: string): string => text.replace(/^mailto:([^?]*).*$/i, '$1').replace(/\.$/, '');

/** Belongs to the number before it. */
const EXTENSION = /^(?:ext(?:ension)?\b\.?|x|#)\s*\d{1,7}$/i;
const DIGITS_OF_A_NUMBER = 7;
const hasNumber = (text: string): boolean => (text.match(/\p{Nd}/gu)?.length ?? 0) >= DIGITS_OF_A_NUMBER;

/** Several numbers may stand in one cell. Each part counts by itself: what is no number is told, and keeps no other from counting. */
function numbersIn(cell: string, country: CountryOfNumbers): readonly string[] {
  const whole = cell.replace(/\s+/g, ' ').trim();
  const parts: string[] = [];
  for (const part of cell.split(/:::|[;,|\r\n]/).map((one) => one.trim())) {
    if (part === '') continue;
    if (EXTENSION.test(part) && /^[^a-z#]+$/i.test(parts.at(-1) ?? 'none')) parts.push(`${parts.pop()} ${part}`);
    else parts.push(...betweenSlashes(part.replaceAll('\t', ' '), country));
  }
  return parts.some(hasNumber) || whole === '' ? parts : [whole];
}

/** A slash stands between two numbers, or within one. */
function betweenSlashes(text: string, country: CountryOfNumbers): readonly string[] {
  const parts = text.split('/').flatMap((part) => part.trim() || []);
  return parts.filter(hasNumber).length > 1 || typeof parsed('telephone', text, country) === 'string' ? parts : [text];
}

/** Several addresses may stand in one cell, also beside names, as mail programs copy them. */
function addressesIn(cell: string): readonly string[] {
  const addresses = partsOfAddresses(cell).filter((part) => part.includes('@') || LIKE_AN_ADDRESS.test(part));
  return addresses.length > 0 || cell.trim() === '' ? addresses : [cell.trim()];
}

/** A bar or a slash ends an address after its domain. Before, it may stand within one, whose end would be another person's. */
const BETWEEN_ADDRESSES = /[\s;,<>()"]+|(?<=@[^@|/\s;,<>()"]+)[|/](?=[^@]*@)/;
const partsOfAddresses = (cell: string): readonly string[] =>
  cell.split(BETWEEN_ADDRESSES).filter((part) => part !== '');

/** A name has no dot before two letters, but an address without its @ has. */
const LIKE_AN_ADDRESS = /[^.]\.[a-z]{2,}$/i;
