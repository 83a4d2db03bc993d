import type { CountryOfNumbers } from '#domain/leads/telephone';
import { type Column, plain, usualColumn } from './column-names.ts';
import { exportOf, type KnownExport } from './exports.ts';
import { columnAt, listed, type Names, nameOf } from './header.ts';
import { type FileOptions, type FileReading, LeadFileError } from './lead-file-row.ts';
import { isOfPerson, type PersonColumns, seemsOfPerson } from './person-of-row.ts';

export interface PersonFileOptions extends FileOptions {
  /** CSV: what happens to columns of which we know nothing. Default: ignored. Columns of leads beside the numbers are ignored. */
  readonly unknownColumns?: 'ignore' | 'refuse';
}

/** What each column of a list of persons says. */
export interface PersonHeader extends PersonColumns {
  readonly ignored: readonly number[];
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
export function personHeader(read: Names, options: PersonFileOptions, country: CountryOfNumbers): PersonHeader {
  const { names } = read;
  const { columns = [], unknownColumns = 'ignore' } = options;
  const knownExport = exportOf(names);
  const mapped = new Map(columns.map(([field, name]) => [columnAt(names, name), personField(field)] as const));
  const fieldAt = (name: string, index: number): Column | undefined =>
    mapped.get(index) ?? fieldOf(plain(name), knownExport);
  const at = (field: Column) => names.flatMap((name, index) => (fieldAt(name, index) === field ? [index] : []));
  const [telephones, emails] = [at('telephone'), at('email')];
  if (telephones.length + emails.length === 0) return withoutHeader(read, country);
  const ignored = [...names.keys()].filter((index) => !telephones.includes(index) && !emails.includes(index));
  const strange = ignored.map((index) => names[index] as string).filter((name) => usualColumn(name) === undefined);
  if (unknownColumns === 'refuse' && !knownExport && strange.length > 0) throw notOfPersons(strange);
  return { ...read, telephones, emails, ignored, knownExport };
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
    return { delimiter, names: [''], telephones: [0], emails: [0], ignored: [], withoutHeader: true };
  throw new LeadFileError(
    `there is no column with a telephone number or an e-mail address: ${firstRow.some(seemsOfPerson) ? LIKE_A_PERSON : 'map one to telephone or email'}`,
  );
}

/** It is not quoted: it may be a person. */
const LIKE_A_PERSON =
  'the first line looks like a person, and not like a header. A file without a header is read if each line is one telephone number (with its country, unless you name it) or one e-mail address. Else write a line with the names of the columns in front, like telephone,email';
