import { textOfCell } from '#domain/kernel/spreadsheet-cells';
import { type CountryOfNumbers, isCountry } from '#domain/leads/telephone';
import { type Column, columnNamed, columns, isOfConsent, plain, usualColumn } from './column-names.ts';
import { cellsOf } from './csv-records.ts';
import { addressColumns, exportOf, type KnownExport } from './exports.ts';
import { type FileOptions, LeadFileError, type LeadFileOptions, shortened } from './lead-file-row.ts';
import type { FileLine } from './lines.ts';

/** What each column of a file says. */
export interface Header {
  readonly delimiter: string;
  readonly names: readonly string[];
  /** The columns of a field, by index: the first one that is not empty counts. */
  readonly fields: Placed;
  /** The columns of each postal address. Of a row, the first address that is not empty counts. */
  readonly addresses: readonly Placed[];
  /** Columns that are kept as extra fields. */
  readonly kept: readonly number[];
  readonly ignored: readonly string[];
  readonly knownExport?: KnownExport;
  /** Of telephone numbers without a country. */
  readonly country: CountryOfNumbers;
}

/** A first line that tells spreadsheets the delimiter. @returns the delimiter */
export const delimiterLine = (text: string): string | undefined =>
  /^"?sep=([^"\p{Letter}\p{Number}])"?[,;|\s]*$/iu.exec(text)?.[1];

const delimiters = [',', ';', '\t', '|'];
const MOST_COLUMNS = 100_000;

/** @throws LeadFileError for a header that cannot be understood */
export const readHeader = (line: FileLine, given: string | undefined, options: LeadFileOptions): Header =>
  headerOf(namesIn(line, given, options), options);

/**
 * The names of the columns, with the delimiter by which most are known.
 * @param given the delimiter, where the file says it
 * @throws LeadFileError when they cannot be read
 */
export function namesIn(line: FileLine, given: string | undefined, options: Pick<FileOptions, 'columns'>): Names {
  if ('reason' in line) throw new LeadFileError(`line ${line.number}, the header: ${line.reason}`);
  const candidates = (given === undefined ? delimiters : [given]).map((delimiter) => namesOf(line, delimiter));
  const readable = candidates.filter((candidate) => typeof candidate !== 'string');
  if (readable.length === 0) throw new LeadFileError(`line ${line.number}, the header: ${candidates[0]}`);
  const rank = (names: Names) => knownIn(names, options) * MOST_COLUMNS + names.names.length;
  const [best] = readable.toSorted((one, other) => rank(other) - rank(one));
  return best as Names;
}

export interface Names {
  readonly delimiter: string;
  readonly names: readonly string[];
  /** The first row is no header, but a row like the others. */
  readonly withoutHeader?: true;
}

function namesOf({ text }: FileLine, delimiter: string): Names | string {
  const names = cellsOf(text, delimiter);
  return typeof names === 'string' ? names : { delimiter, names: names.map((name) => textOfCell(name.trim())) };
}

/** How many columns we know, if the header is read with this delimiter. */
function knownIn({ names }: Names, { columns = [] }: Pick<FileOptions, 'columns'>): number {
  const mapped = new Set(columns.map(([, name]) => name));
  return names.filter((name) => mapped.has(name) || usualColumn(name) !== undefined).length;
}

type Placed = ReadonlyMap<Column, readonly number[]>;

function headerOf({ delimiter, names }: Names, options: LeadFileOptions): Header {
  const knownExport = exportOf(names);
  const mapped = mappedColumns(names, options);
  const own = new Map([
    ...usualColumns(names, mapped, knownExport, saysConsent(names, mapped)),
    ...ownColumns(names, mapped, knownExport),
    ...mapped,
  ]);
  const addresses = [only(own, isOfAddress), ...addressesOf(names, knownExport)].filter(({ size }) => size > 0);
  const fields = only(own, (column) => !isOfAddress(column));
  const others = othersOf(names, [fields, ...addresses]);
  const unknown = options.unknownColumns ?? (knownExport ? 'ignore' : 'refuse');
  if (unknown === 'refuse') refuseUnknown(names, others, mapped);
  checkFields(own, options);
  const kept = unknown === 'keep' ? others : [];
  const ignored = unknown === 'keep' ? [] : others.map((index) => nameOf(names, index));
  const country = countryIn(options);
  return { delimiter, names, fields, addresses, kept, ignored, country, ...(knownExport && { knownExport }) };
}

/** @throws LeadFileError */
export function countryIn({ country = 'US' }: Pick<FileOptions, 'country'>): CountryOfNumbers {
  const code = country.toUpperCase();
  if (isCountry(code)) return code;
  throw new LeadFileError(`there is no country ${country}: name it by its two letters, like GB`);
}

/** The name of a column, in one line. */
export const nameOf = (names: readonly string[], index: number): string =>
  names[index]?.replace(/\s+/g, ' ') || `column ${index + 1}`;

const isOfAddress = (column: Column): boolean => column in addressColumns;

const only = (placed: Placed, which: (column: Column) => boolean): Placed =>
  new Map([...placed].filter(([column]) => which(column)));

function othersOf(names: readonly string[], placed: readonly Placed[]): readonly number[] {
  const used = new Set(placed.flatMap((columns) => [...columns.values()].flat()));
  return names.map((_, index) => index).filter((index) => !used.has(index));
}

/** A mapping of a field decides also about columns that usually say the same: they are ignored. @throws LeadFileError */
function refuseUnknown(names: readonly string[], others: readonly number[], mapped: Placed): void {
  const unknown = others
    .map((index) => nameOf(names, index))
    .filter((name) => !mapped.has(usualColumn(name) as Column));
  if (unknown.length > 0) throw unknownColumns(unknown);
}

/** @throws LeadFileError for a column that is not there */
function mappedColumns(names: readonly string[], options: LeadFileOptions): Placed {
  const mapped = new Map<Column, readonly number[]>();
  for (const [field, name] of options.columns ?? []) {
    const column = columnNamed(field);
    if (mapped.has(column)) throw new LeadFileError(`more than one column is mapped to ${field}`);
    mapped.set(column, [columnAt(names, name)]);
  }
  return mapped;
}

/** @throws LeadFileError unless there is one column of this name */
export function columnAt(names: readonly string[], name: string): number {
  const at = names.flatMap((one, index) => (one === name ? [index] : []));
  if (at.length === 0) throw new LeadFileError(`there is no column "${name}": there are ${listed(names)}`);
  if (at.length > 1) throw new LeadFileError(`more than one column is named "${name}"`);
  return at[0] as number;
}

/**
 * Whether the file has evidence of consent: the words and the instant at least. Else an IP address is a column like any other.
 * @throws LeadFileError where the caller has mapped a part of it, and these are not there
 */
function saysConsent(names: readonly string[], mapped: Placed): boolean {
  const said = new Set<Column | undefined>([...mapped.keys(), ...names.map(usualColumn)]);
  const missing = (['consentText', 'consentAt'] as const).filter((column) => !said.has(column));
  if (missing.length > 0 && [...mapped.keys()].some(isOfConsent))
    throw new LeadFileError(
      `evidence of consent has its text and its instant at least: there is no column ${missing.join(', ')}`,
    );
  return missing.length === 0;
}

/** @throws LeadFileError when several columns say the same, except in an export, where the first one counts */
function usualColumns(
  names: readonly string[],
  mapped: Placed,
  knownExport: KnownExport | undefined,
  withConsent: boolean,
): Placed {
  const usual = new Map<Column, readonly number[]>();
  const isMapped = new Set([...mapped.values()].flat());
  for (const [index, name] of names.entries()) {
    const column = usualColumn(name);
    if (!column || isMapped.has(index) || mapped.has(column) || (isOfConsent(column) && !withConsent)) continue;
    if (!usual.has(column)) usual.set(column, [index]);
    else if (!knownExport) throw new LeadFileError(`more than one column says ${column}: map one of them`);
  }
  return usual;
}

/** What an export says by columns of its own. */
function ownColumns(names: readonly string[], mapped: Placed, knownExport: KnownExport | undefined): Placed {
  const isMapped = new Set([...mapped.values()].flat());
  const unmapped = names.map((name, index) => (isMapped.has(index) ? '' : name));
  return new Map(
    Object.entries(knownExport?.columns ?? {}).flatMap(([column, known]) => placedAt(unmapped, column, known)),
  );
}

/** The postal addresses of an export that has several. */
const addressesOf = (names: readonly string[], knownExport: KnownExport | undefined): readonly Placed[] =>
  (knownExport?.addresses ?? []).map(
    (prefix) =>
      new Map(
        Object.entries(addressColumns).flatMap(([column, parts]) =>
          placedAt(
            names,
            column,
            parts.map((part) => prefix + part),
          ),
        ),
      ),
  );

function placedAt(names: readonly string[], column: string, known: readonly string[]): [Column, readonly number[]][] {
  const inFile = names.map(plain);
  const at = known.map((name) => inFile.indexOf(name)).filter((index) => index >= 0);
  return at.length > 0 ? [[column as Column, at]] : [];
}

function checkFields(fields: Placed, { leadTypeId, source }: LeadFileOptions): void {
  if (!fields.has('telephone') && !fields.has('email'))
    throw new LeadFileError('there is no column with a telephone number or an e-mail address');
  if (!fields.has('leadTypeId') && leadTypeId === undefined)
    throw new LeadFileError('no lead type: name one for the whole file, or add a column leadTypeId');
  if (!fields.has('source') && source === undefined)
    throw new LeadFileError('no source: name one for the whole file, or add a column source');
}

const MOST_NAMES_LISTED = 30;
const LONGEST_NAME_LISTED = 100;

/** A header may be as long as a megabyte; what is said of it is not. */
export function listed(names: readonly string[]): string {
  const some = names.slice(0, MOST_NAMES_LISTED).map((name) => shortened(name, LONGEST_NAME_LISTED));
  return names.length > some.length ? `${some.join(', ')} and ${names.length - some.length} more` : some.join(', ');
}

function unknownColumns(names: readonly string[]): LeadFileError {
  const needs = names.map(usualColumn).some((column) => column && isOfConsent(column))
    ? ' (evidence of consent needs columns consentText and consentAt, too)'
    : '';
  return new LeadFileError(
    `unknown columns: ${listed(names.map((name) => `"${name}"`))}${needs}; map them, or have unknown columns ignored or kept as extra fields. ` +
      `Known are ${columns.join(', ')}`,
  );
}
