import { textOfCell } from '#domain/kernel/spreadsheet-cells';
import { contact } from '#domain/leads/contact';
import { type CountryOfNumbers, withCountry } from '#domain/leads/telephone';
import { cellsOf } from './csv-records.ts';
import type { Names } from './header.ts';
import { reasonOf } from './lead-file-row.ts';
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

/** The columns that name a person, by index. In a file without a header, the only one may have either. */
export interface PersonColumns extends Names {
  readonly telephones: readonly number[];
  readonly emails: readonly number[];
}

export function personOfCells(header: PersonColumns, cells: readonly string[], country: CountryOfNumbers): Read {
  const texts = (field: Field) =>
    header[`${field}s`].map((index) => textIn(cells[index])).filter((text) => mayBe(field, text, header));
  return personIn(texts('telephone'), texts('email'), country);
}

const textIn = (cell = ''): string => textOfCell(cell.trim()).trim();

const mayBe = (field: Field, text: string, { withoutHeader }: PersonColumns): boolean =>
  !withoutHeader || text.includes('@') === (field === 'email');

/** Damage that stands for a byte that is no text, or is one that no text has. */
const NO_TEXT = /[\ufffd\0]/;

/**
 * A row whose characters or cells are damaged. Where it has the cells that the header names, those that are whole count. Otherwise a
 * value may stand as many places beside its column as there are cells too many or too few; there, only what is nothing but a number
 * or an address counts.
 * @param damage is told with the person, and is why there is none
 */
export function personOfDamagedRow(
  header: PersonColumns,
  readable: string,
  damage: string,
  country: CountryOfNumbers,
): Read {
  const { names, delimiter } = header;
  const cells = cellsOf(readable, delimiter);
  // What stands in one cell may be several rows, between a forgotten quote and the next.
  if (typeof cells !== 'string' && cells.length === names.length && !/[\r\n]/.test(readable)) {
    const whole = cells.map((cell) => (NO_TEXT.test(cell) ? '' : cell));
    return damaged(personOfCells(header, whole, country), damage);
  }
  const rows = readable.split(/[\r\n]+/).map((line) => cellsIn(line, delimiter));
  const valuesOf = (field: Field, onlyIn: (cell: string) => readonly string[]) =>
    rows.flatMap((row) => cellsBeside(header[`${field}s`], row, names.length)).flatMap((cell) => onlyIn(textIn(cell)));
  const telephones = valuesOf('telephone', (cell) => onlyNumbersIn(cell, country));
  const emails = valuesOf('email', onlyAddressesIn);
  return damaged(telephones.length + emails.length > 0 ? { person: { telephones, emails } } : damage, damage);
}

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

/** As a lead, whose other fields do not count here; or just its numbers and addresses. */
export function personOfObject(object: unknown, country: CountryOfNumbers): Read {
  if (!isRecord(object)) return 'is not an object';
  const all = [object, ...(isRecord(object.contact) ? [object.contact] : [])];
  const wrong: string[] = isRecord(object.contact ?? {}) ? [] : ['contact: is not an object'];
  const texts = (field: Field) =>
    all
      .flatMap((one) => [one[field], one[`${field}s`]].flat())
      .flatMap((value) => {
        if (value === undefined || value === null) return [];
        if (typeof value === 'string') return [value];
        wrong.push(`${field}: must be a text, or a list of texts`);
        return [];
      });
  return personIn(texts('telephone'), texts('email'), country, wrong);
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
  others: readonly string[] = [],
): Read {
  const wrong = [...others];
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

/** @returns the number or address, or why it is none */
function parsed(field: Field, text: string, country: CountryOfNumbers = 'US'): { readonly value: string } | string {
  const found = contact.safeParse({
    [field]: field === 'telephone' ? withCountry(withoutMark(text), country) : text,
  });
  return found.success ? { value: found.data[field] as string } : reasonOf(found.error);
}

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
