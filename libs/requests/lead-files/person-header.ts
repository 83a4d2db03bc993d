import type { CountryOfNumbers } from '#domain/leads/telephone';
import { usualColumn } from './column-names.ts';
import { exportOf, type KnownExport } from './exports.ts';
import { columnAt, listed, type Names, nameOf } from './header.ts';
import { type FileOptions, type FileReading, LeadFileError } from './lead-file-row.ts';
import { columnsOf, personField } from './person-columns.ts';
import { type ColumnsOfRow, isOfPerson, seemsOfPerson } from './person-of-row.ts';

export interface PersonFileOptions extends FileOptions {
  /** CSV: what happens to columns of which we know nothing. Default: ignored. Columns of leads beside the numbers are ignored. */
  readonly unknownColumns?: 'ignore' | 'refuse';
}

/** What each column of a list of persons says. */
export interface PersonHeader extends ColumnsOfRow {
  readonly knownExport?: KnownExport | undefined;
}

export const columnsOfPersons = ({
  delimiter,
  names,
  ignored,
  knownExport,
  withoutHeader,
}: PersonHeader): Omit<FileReading, 'encoding'> => ({
  delimiter,
  ...(knownExport && { exportOf: knownExport.name }),
  ...(withoutHeader && { withoutHeader }),
  ignoredColumns: ignored.map((index) => nameOf(names, index)),
  keptColumns: [],
});

/** @throws LeadFileError */
export function personHeader(read: Names, options: PersonFileOptions, country: CountryOfNumbers): PersonHeader {
  const { names } = read;
  const { columns = [], unknownColumns = 'ignore' } = options;
  const knownExport = exportOf(names);
  const mapped = new Map(columns.map(([field, name]) => [columnAt(names, name), mappedField(field)] as const));
  const isRow = mapped.size === 0 && names.some((name) => isOfPerson(name, country));
  const fields = names.map((name, index) => {
    return mapped.get(index) ?? (seemsOfPerson(name) ? undefined : personField(name, knownExport));
  });
  if (isRow || fields.every((field) => field === undefined)) return withoutHeader(read, country);
  const placed = columnsOf(fields);
  const strange = placed.ignored
    .map((index) => names[index] as string)
    .filter((name) => usualColumn(name) === undefined);
  if (unknownColumns === 'refuse' && !knownExport && strange.length > 0) throw notOfPersons(strange);
  return { ...read, ...placed, knownExport };
}

/** @throws LeadFileError */
function mappedField(field: string): 'telephone' | 'email' {
  if (field === 'telephone' || field === 'email') return field;
  throw new LeadFileError(`there is no field ${field} in a list of persons: there are telephone, email`);
}

const notOfPersons = (names: readonly string[]): LeadFileError =>
  new LeadFileError(
    `unknown columns: ${listed(names.map((name) => `"${name}"`))}; map those with telephone numbers to telephone and those with e-mail addresses to email, or have unknown columns ignored`,
  );

/**
 * The usual form of a do-not-call list: one telephone number or e-mail address in each line, and no header. Of several columns,
 * nobody says which one counts.
 * @throws LeadFileError when the first line is something else
 */
function withoutHeader({ delimiter, names: firstRow }: Names, country: CountryOfNumbers): PersonHeader {
  const [only = '', ...others] = firstRow;
  if (others.length === 0 && isOfPerson(only, country))
    return { delimiter, names: [''], ...columnsOf(['either']), withoutHeader: true };
  throw new LeadFileError(
    `there is no column with a telephone number or an e-mail address: ${firstRow.some(seemsOfPerson) ? LIKE_A_PERSON : 'map one to telephone or email'}`,
  );
}

/** It is not quoted: it may be a person. */
const LIKE_A_PERSON =
  'the first line looks like a person, and not like a header. A file without a header is read if each line is one telephone number (with its country, unless you name it) or one e-mail address. Else write a line with the names of the columns in front, like telephone,email';
