import { contact } from '#domain/leads/contact';
import type { ReceiveLeadRequest } from '../lead-receipt.ts';
import { cellsOf, OPEN_QUOTE, recordsOf } from './csv-records.ts';
import {
  LeadFileError,
  type LeadFileOptions,
  type LeadFileRow,
  leadFileRowOf,
  leadOf,
  reasonOf,
} from './lead-file-row.ts';
import type { FileLine } from './lines.ts';

const contactFields = contact.keyof().options;
const fields = [...contactFields, 'leadTypeId', 'source', 'capturedAt'] as const;
type Field = (typeof fields)[number];

/** Spreadsheets let people type ends of lines into every cell: a lead is not lost for one in a name. */
const ENDS_OF_LINES = /\s*[\t\r\n]+\s*/g;
const fieldsOfSeveralLines: ReadonlySet<Field> = new Set(['address', 'comment']);

/** What each column says; undefined for columns that are skipped. */
type Header = readonly (Field | undefined)[];

/** Usual names of columns in addition to our own, compared without case, spacing and punctuation. */
const usualNames: Readonly<Record<string, Field>> = {
  first: 'firstName',
  last: 'lastName',
  surname: 'lastName',
  phone: 'telephone',
  phonenumber: 'telephone',
  mobile: 'telephone',
  cell: 'telephone',
  emailaddress: 'email',
  street: 'address',
  zip: 'postalCode',
  zipcode: 'postalCode',
  postcode: 'postalCode',
  leadtype: 'leadTypeId',
  vendor: 'source',
  captured: 'capturedAt',
  comments: 'comment',
};

const plain = (name: string): string => name.toLowerCase().replace(/[^\p{Letter}\p{Number}]/gu, '');
const fieldByName = new Map<string, Field>([
  ...Object.entries(usualNames),
  ...fields.map((field) => [plain(field), field] as const),
]);

/** @throws LeadFileError for a header that cannot be understood, or when an open quote makes all rows after it wrong */
export async function* rowsOfCsv(
  lines: AsyncIterable<FileLine>,
  options: LeadFileOptions,
): AsyncGenerator<LeadFileRow> {
  let header: Header | undefined;
  const check = afterOpenQuote();
  const fits = (text: string) => header === undefined || cellsOf(text).length === header.length;
  for await (const record of recordsOf(lines, fits)) {
    if (record.text.trim() === '') continue;
    if (header) {
      const columns = header;
      const row = leadFileRowOf(record, () => leadOfRecord(columns, record.text, options));
      yield row;
      check(row);
    } else header = readHeader(record, options);
  }
  if (!header) throw new LeadFileError('the file is empty: it has no header');
}

const MOST_WRONG_ROWS_AFTER_AN_OPEN_QUOTE = 1000;

/** Text that a quote opens and nothing closes is no list of leads. Its lines are not reported one by one. */
function afterOpenQuote(): (row: LeadFileRow) => void {
  let openedAt: number | undefined;
  let wrong = 0;
  return (row) => {
    if ('lead' in row) openedAt = undefined;
    else if (openedAt !== undefined) wrong += 1;
    else if (row.reason === OPEN_QUOTE) [openedAt, wrong] = [row.line, 0];
    if (openedAt !== undefined && wrong === MOST_WRONG_ROWS_AFTER_AN_OPEN_QUOTE)
      throw new LeadFileError(
        `line ${openedAt}: ${OPEN_QUOTE}, and none of the ${wrong} rows after it is a lead; reading stopped there: close the quote and send the file again`,
      );
  };
}

function readHeader(record: FileLine, options: LeadFileOptions): Header {
  const names = 'reason' in record ? record.reason : cellsOf(record.text);
  if (typeof names === 'string') throw new LeadFileError(`line ${record.number}, the header: ${names}`);
  const mapped = new Map(Object.entries(options.columns ?? {}).map(([field, column]) => [column, fieldNamed(field)]));
  const missing = [...mapped.keys()].find((column) => !names.includes(column));
  if (missing !== undefined) throw new LeadFileError(`there is no column "${missing}": there are ${names.join(', ')}`);

  const header = names.map((name) => mapped.get(name) ?? fieldByName.get(plain(name)));
  const unknown = names.filter((_, index) => header[index] === undefined);
  if (unknown.length > 0 && !options.ignoreUnknownColumns) throw unknownColumns(unknown);
  checkColumns(header, options);
  return header;
}

function checkColumns(header: Header, { leadTypeId, source }: LeadFileOptions): void {
  const twice = header.find((field, index) => field !== undefined && header.indexOf(field) !== index);
  if (twice) throw new LeadFileError(`more than one column says ${twice}: map one of them`);
  if (!header.includes('telephone') && !header.includes('email'))
    throw new LeadFileError('there is no column with a telephone number or an e-mail address');
  if (!header.includes('leadTypeId') && leadTypeId === undefined)
    throw new LeadFileError('no lead type: name one for the whole file, or add a column leadTypeId');
  if (!header.includes('source') && source === undefined)
    throw new LeadFileError('no source: name one for the whole file, or add a column source');
}

const unknownColumns = (names: readonly string[]): LeadFileError =>
  new LeadFileError(
    `unknown columns: ${names.map((name) => `"${name}"`).join(', ')}; map them, or have unknown columns ignored. ` +
      `Known are ${fields.join(', ')}`,
  );

function fieldNamed(name: string): Field {
  const field = fields.find((field) => field === name);
  if (!field) throw new LeadFileError(`there is no field ${name}: there are ${fields.join(', ')}`);
  return field;
}

/** The lead of one record, or why it is not one. */
function leadOfRecord(header: Header, text: string, defaults: LeadFileOptions): ReceiveLeadRequest | string {
  const cells = cellsOf(text);
  if (typeof cells === 'string') return cells;
  if (cells.length !== header.length) return `has ${cells.length} fields where the header has ${header.length}`;
  const values: Partial<Record<Field, string>> = {};
  for (const [index, field] of header.entries()) {
    const value = cells[index]?.trim();
    if (field && value) values[field] = fieldsOfSeveralLines.has(field) ? value : value.replace(ENDS_OF_LINES, ' ');
  }
  const { leadTypeId, source, capturedAt, ...person } = values;
  const read = contact.safeParse(person);
  return read.success ? leadOf({ leadTypeId, source, capturedAt, contact: read.data }, defaults) : reasonOf(read.error);
}
