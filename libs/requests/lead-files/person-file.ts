import { z } from 'zod';
import { textOfCell } from '#domain/kernel/spreadsheet-cells';
import { contact } from '#domain/leads/contact';
import { type CountryOfNumbers, withCountry } from '#domain/leads/telephone';
import { type Column, plain, usualColumn } from './column-names.ts';
import { openText } from './encodings.ts';
import { exportOf, type KnownExport } from './exports.ts';
import { columnAt, countryIn, type Names, nameOf, namesIn, noContactColumn, unknownColumns } from './header.ts';
import { rowsOfCsv } from './lead-csv.ts';
import {
  type FileOptions,
  type FileReading,
  type FileRow,
  fileRowOf,
  LeadFileError,
  reasonOf,
} from './lead-file-row.ts';
import { type FileLine, linesOf } from './lines.ts';
import { withoutMark } from './row-values.ts';

/** A person, by all numbers and addresses of a row. */
export interface PersonOfRow {
  readonly telephones: readonly string[];
  readonly emails: readonly string[];
  /** What else stands where numbers and addresses should, and why it is none. */
  readonly notUnderstood?: string;
}

export type PersonFileRow = FileRow<{ readonly person: PersonOfRow }>;

export interface PersonFileOptions extends FileOptions {
  /** CSV: what happens to columns of which we know nothing. Default: ignored. Columns of leads beside the numbers are ignored. */
  readonly unknownColumns?: 'ignore' | 'refuse';
}

/**
 * Reads persons from the bytes of a file, in constant memory, as leads are read. But all telephone numbers and all e-mail
 * addresses of a row count, in whatever columns they are: one that is overlooked would be sold.
 * @param told is told how the file is read, before the first row
 * @throws LeadFileError for a header that cannot be understood
 */
export async function* readPersonFile(
  bytes: AsyncIterable<Uint8Array>,
  options: PersonFileOptions,
  told: (reading: FileReading) => void = () => {},
): AsyncGenerator<PersonFileRow> {
  const country = countryIn(options);
  const text = await openText(bytes, options.encoding ?? 'utf-8');
  const { encoding } = text;
  if (options.format === 'ndjson') {
    told({ encoding, ignoredColumns: [], keptColumns: [] });
    yield* personsOfNdjson(linesOf(text), country);
    return;
  }
  yield* rowsOfCsv(linesOf(text), {
    header(line, delimiter) {
      const header = headerOf(namesIn(line, delimiter, options), options);
      told({ encoding, ...columnsOf(header) });
      return header;
    },
    said: (header, cells) => personOfCells(header, cells, country),
  });
}

/** The columns that name a person. */
interface PersonHeader extends Names {
  readonly telephones: readonly number[];
  readonly emails: readonly number[];
  readonly ignored: readonly number[];
  readonly knownExport?: KnownExport | undefined;
}

const columnsOf = ({ delimiter, names, ignored, knownExport }: PersonHeader): Omit<FileReading, 'encoding'> => ({
  delimiter,
  ...(knownExport && { exportOf: knownExport.name }),
  ignoredColumns: ignored.map((index) => nameOf(names, index)),
  keptColumns: [],
});

const OF_WHICH =
  '(?:home|work|business|office|company|mobile|cell|primary|main|other|first|second|secondary|third|alt|alternate|alternative|additional|day|daytime|evening|user|customer|contact|personal|private)?';

/** Plain names of columns with numbers or addresses. A list has more of them than a lead: Phone 2, Work e-mail, E-mail 2 address. */
const named = {
  telephone: new RegExp(
    `^${OF_WHICH}\\d?(?:telephone|phone|mobile|mobilephone|cell|cellphone|landline|tel|msisdn)\\d{0,2}(?:number|num|nr|no)?\\d{0,2}(?:value)?$`,
  ),
  email: new RegExp(`^${OF_WHICH}\\d?e?mail\\d{0,2}(?:address|addr)?\\d{0,2}(?:value)?$`),
};

/** @throws LeadFileError */
function headerOf(
  { delimiter, names }: Names,
  { columns = [], unknownColumns: unknown = 'ignore' }: PersonFileOptions,
) {
  const knownExport = exportOf(names);
  const mapped = new Map(columns.map(([field, name]) => [columnAt(names, name), personField(field)] as const));
  const fieldAt = (name: string, index: number): Column | undefined =>
    mapped.get(index) ?? fieldOf(plain(name), knownExport);
  const at = (field: Column) => names.flatMap((name, index) => (fieldAt(name, index) === field ? [index] : []));
  const [telephones, emails] = [at('telephone'), at('email')];
  if (telephones.length + emails.length === 0) throw noContactColumn();
  const ignored = [...names.keys()].filter((index) => !telephones.includes(index) && !emails.includes(index));
  const strange = ignored.map((index) => names[index] as string).filter((name) => usualColumn(name) === undefined);
  if (unknown === 'refuse' && !knownExport && strange.length > 0) throw unknownColumns(strange);
  return { delimiter, names, telephones, emails, ignored, knownExport };
}

function fieldOf(name: string, knownExport: KnownExport | undefined): 'telephone' | 'email' | undefined {
  const says = (field: 'telephone' | 'email') =>
    usualColumn(name) === field || named[field].test(name) || knownExport?.columns[field]?.includes(name);
  return says('telephone') ? 'telephone' : says('email') ? 'email' : undefined;
}

/** @throws LeadFileError */
function personField(field: string): 'telephone' | 'email' {
  if (field === 'telephone' || field === 'email') return field;
  throw new LeadFileError(`there is no field ${field} in a list of persons: there are telephone, email`);
}

function personOfCells(header: PersonHeader, cells: readonly string[], country: CountryOfNumbers) {
  const texts = (at: readonly number[]) => at.map((index) => textOfCell((cells[index] ?? '').trim()).trim());
  return personIn(texts(header.telephones), texts(header.emails), country);
}

const texts = z.union([z.string(), z.array(z.string())], 'must be a text, or a list of texts').default([]);
const reachedBy = { telephone: texts, telephones: texts, email: texts, emails: texts };
/** As a lead, whose other fields do not count here; or just its numbers and addresses. */
const personObject = z.object({ ...reachedBy, contact: z.object(reachedBy).optional() }, 'is not an object');

async function* personsOfNdjson(
  lines: AsyncIterable<FileLine>,
  country: CountryOfNumbers,
): AsyncGenerator<PersonFileRow> {
  for await (const line of lines) {
    if (line.text.trim() === '') continue;
    yield fileRowOf(line, () => {
      const read = personObject.safeParse(JSON.parse(line.text));
      if (!read.success) return reasonOf(read.error);
      const all = [read.data, ...(read.data.contact ? [read.data.contact] : [])];
      const telephones = all.flatMap(({ telephone, telephones }) => [telephone, telephones].flat());
      return personIn(
        telephones,
        all.flatMap(({ email, emails }) => [email, emails].flat()),
        country,
      );
    });
  }
}

/** The person of a row, or why it has none. */
function personIn(
  telephoneTexts: readonly string[],
  emailTexts: readonly string[],
  country: CountryOfNumbers,
): { readonly person: PersonOfRow } | string {
  const wrong: string[] = [];
  const parsed = (name: 'telephone' | 'email', text: string) =>
    contact.safeParse({ [name]: name === 'telephone' ? withCountry(withoutMark(text), country) : text });
  const read = (name: 'telephone' | 'email', text: string): string | undefined => {
    const found = parsed(name, text);
    if (!found.success) wrong.push(reasonOf(found.error));
    return found.success ? found.data[name] : undefined;
  };
  const taken = (name: 'telephone' | 'email', parts: readonly string[]) =>
    parts.flatMap((text) => read(name, text) ?? []);
  const telephones = taken(
    'telephone',
    telephoneTexts.flatMap((text) => numbersIn(text, (part) => parsed('telephone', part).success)),
  );
  const emails = taken('email', emailTexts.flatMap(addressesIn));
  const notUnderstood = [...new Set(wrong)].join('; ');
  if (telephones.length + emails.length === 0) return notUnderstood || 'has no telephone number and no e-mail address';
  return { person: { telephones, emails, ...(notUnderstood && { notUnderstood }) } };
}

/** Belongs to the number before it. */
const EXTENSION = /^(?:ext(?:ension)?\b\.?|x|#)\s*\d{1,7}$/i;
const DIGITS_OF_A_NUMBER = 7;
const hasNumber = (text: string): boolean => (text.match(/\p{Nd}/gu)?.length ?? 0) >= DIGITS_OF_A_NUMBER;

/** Several numbers may stand in one cell. Each part counts by itself: what is no number is told, and keeps no other from counting. */
function numbersIn(cell: string, isNumber: (text: string) => boolean): readonly string[] {
  const whole = cell.replace(/\s+/g, ' ').trim();
  const parts: string[] = [];
  for (const part of cell.split(/:::|[;,|\r\n]/).map((one) => one.trim())) {
    if (part === '') continue;
    if (EXTENSION.test(part) && /^[^a-z#]+$/i.test(parts.at(-1) ?? 'none')) parts.push(`${parts.pop()} ${part}`);
    else parts.push(...betweenSlashes(part.replaceAll('\t', ' '), isNumber));
  }
  return parts.some(hasNumber) || whole === '' ? parts : [whole];
}

/** A slash stands between two numbers, or within one. */
function betweenSlashes(text: string, isNumber: (text: string) => boolean): readonly string[] {
  const parts = text.split('/').flatMap((part) => part.trim() || []);
  return parts.filter(hasNumber).length > 1 || !isNumber(text) ? parts : [text];
}

/** Several addresses may stand in one cell, also beside names, as mail programs copy them. */
function addressesIn(cell: string): readonly string[] {
  const parts = cell.split(/[\s;,<>()"]+/).flatMap((part) => {
    const several = part.split('|');
    // It may also stand within an address, whose end would be another person's.
    return several.every((one) => one.includes('@')) ? several : [part];
  });
  const addresses = parts.filter((part) => part.includes('@') || LIKE_AN_ADDRESS.test(part));
  return addresses.length > 0 || cell.trim() === '' ? addresses : [cell.trim()];
}

/** A name has no dot before two letters, but an address without its @ has. */
const LIKE_AN_ADDRESS = /[^.]\.[a-z]{2,}$/i;
