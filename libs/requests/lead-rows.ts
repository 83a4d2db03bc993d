import { parse as parseCsv } from 'csv-parse/sync';
import { z } from 'zod';
import { instant } from '#domain/kernel/events';
import { parseInstant } from '#domain/kernel/instants';
import { type Contact, contact } from '#domain/leads/contact';
import type { ReceiveLeadRequest } from './leads.ts';
import { type Line, type LineEncoding, linesOf } from './lines.ts';

/** A row of a file of leads, or why it is none. `text` is what stands there, cut where it is long. */
export type LeadRow =
  | { readonly line: number; readonly text: string; readonly lead: ReceiveLeadRequest }
  | { readonly line: number; readonly text: string; readonly reason: string };

/** The file as a whole cannot be read as leads: nothing of it is taken in. */
export class LeadFileError extends Error {}

export interface LeadFileOptions {
  readonly format: 'csv' | 'ndjson';
  /** For rows that do not say themselves. */
  readonly leadTypeId?: string;
  readonly source?: string;
  /** CSV: our field → the file's column, where the usual names do not fit. */
  readonly columns?: Readonly<Record<string, string>>;
  /** CSV: leave out columns that are none of ours instead of refusing the file. */
  readonly ignoreUnknownColumns?: boolean;
  /** Default: UTF-8. */
  readonly encoding?: LineEncoding;
}

/**
 * Reads leads from the bytes of a file, in constant memory. A row that is wrong costs no other row.
 * @throws LeadFileError for a header that cannot be understood
 */
export async function* readLeadRows(
  bytes: AsyncIterable<Uint8Array>,
  options: LeadFileOptions,
): AsyncGenerator<LeadRow> {
  const lines = linesOf(bytes, options.encoding ?? 'utf-8');
  yield* options.format === 'csv' ? rowsOfCsv(lines, options) : rowsOfNdjson(lines, options);
}

// ---- NDJSON

const leadObject = z.strictObject({
  leadTypeId: z.string().min(1).optional(),
  source: z.string().min(1).max(200).optional(),
  capturedAt: z.string().optional(),
  contact,
});

async function* rowsOfNdjson(lines: AsyncIterable<Line>, defaults: LeadFileOptions): AsyncGenerator<LeadRow> {
  for await (const line of lines) {
    if ('text' in line && line.text.trim() === '') continue;
    yield rowOf(line, () => {
      const read = leadObject.safeParse(JSON.parse(line.text));
      if (!read.success) return reasonOf(read.error);
      return leadOf(read.data, defaults);
    });
  }
}

// ---- CSV

const contactFields = contact.keyof().options;
const fields = [...contactFields, 'leadTypeId', 'source', 'capturedAt'] as const;
type Field = (typeof fields)[number];

/** How columns are called besides by our own names, without regard to case, spacing and punctuation. */
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

async function* rowsOfCsv(lines: AsyncIterable<Line>, options: LeadFileOptions): AsyncGenerator<LeadRow> {
  let header: readonly (Field | undefined)[] | undefined;
  const fits = (text: string) => header === undefined || cellsOf(text).length === header.length;
  for await (const record of recordsOf(lines, fits)) {
    if ('text' in record && record.text.trim() === '') continue;
    if (!header) {
      if ('reason' in record) throw new LeadFileError(`line ${record.number}, the header: ${record.reason}`);
      header = readHeader(record, options);
      continue;
    }
    const columns = header;
    yield rowOf(record, () => {
      const cells = cellsOf(record.text);
      if (typeof cells === 'string') return cells;
      if (cells.length !== columns.length) return `has ${cells.length} fields where the header has ${columns.length}`;
      return leadOfCells(columns, cells, options);
    });
  }
  if (!header) throw new LeadFileError('the file is empty: it has no header');
}

function readHeader(
  { text, number }: { text: string; number: number },
  options: LeadFileOptions,
): (Field | undefined)[] {
  const names = cellsOf(text);
  if (typeof names === 'string') throw new LeadFileError(`line ${number}, the header: ${names}`);
  const mapped = new Map(Object.entries(options.columns ?? {}).map(([field, column]) => [column, fieldNamed(field)]));
  const missing = [...mapped.keys()].find((column) => !names.includes(column));
  if (missing !== undefined) throw new LeadFileError(`there is no column "${missing}": there are ${names.join(', ')}`);

  const header = names.map((name) => mapped.get(name) ?? fieldByName.get(plain(name)));
  const unknown = names.filter((_, index) => header[index] === undefined);
  if (unknown.length > 0 && !options.ignoreUnknownColumns)
    throw new LeadFileError(
      `unknown columns: ${unknown.map((name) => `"${name}"`).join(', ')}; map them, or have unknown columns ignored. ` +
        `Known are ${fields.join(', ')}`,
    );
  const twice = header.find((field, index) => field !== undefined && header.indexOf(field) !== index);
  if (twice) throw new LeadFileError(`more than one column says ${twice}: map one of them`);
  if (!header.includes('telephone') && !header.includes('email'))
    throw new LeadFileError('there is no column with a telephone number or an e-mail address');
  if (!header.includes('leadTypeId') && options.leadTypeId === undefined)
    throw new LeadFileError('no lead type: name one for the whole file, or add a column leadTypeId');
  if (!header.includes('source') && options.source === undefined)
    throw new LeadFileError('no source: name one for the whole file, or add a column source');
  return header;
}

function fieldNamed(name: string): Field {
  const field = fields.find((field) => field === name);
  if (!field) throw new LeadFileError(`there is no field ${name}: there are ${fields.join(', ')}`);
  return field;
}

function leadOfCells(
  header: readonly (Field | undefined)[],
  cells: readonly string[],
  defaults: LeadFileOptions,
): ReceiveLeadRequest | string {
  const values: Partial<Record<Field, string>> = {};
  for (const [index, field] of header.entries()) {
    const value = cells[index]?.trim();
    if (field && value) values[field] = value;
  }
  const { leadTypeId, source, capturedAt, ...person } = values;
  const read = contact.safeParse(person);
  if (!read.success) return reasonOf(read.error);
  return leadOf({ leadTypeId, source, capturedAt, contact: read.data }, defaults);
}

/** The cells of one record, or why it has none. */
function cellsOf(text: string): string[] | string {
  try {
    return (parseCsv(text, { relax_column_count: true }) as string[][])[0] ?? [''];
  } catch (error) {
    return (error as Error).message.replace(/ at line \d+.*$/, '').replace(/^Invalid/, 'invalid');
  }
}

const MOST_LINES_OF_A_RECORD = 100;

/**
 * Puts lines together that a quoted field spans. A quote that is never closed would swallow rows up to the next one that
 * has a quote, or the rest of the file: where lines do not add up to a record that fits, the first of them is wrong by
 * itself, and the next one begins anew.
 */
async function* recordsOf(lines: AsyncIterable<Line>, fits: (text: string) => boolean): AsyncGenerator<Line> {
  const waiting: Line[] = [];
  const take = function* (atEnd: boolean): Generator<Line> {
    while (waiting.length > 0) {
      const first = waiting[0] as Line;
      const text = 'reason' in first ? first.text : recordAtStartOf(waiting);
      const whole = text !== undefined && (text === first.text || fits(text));
      if (text === undefined && !atEnd && waiting.length < MOST_LINES_OF_A_RECORD) return;
      if (!whole) {
        waiting.shift();
        yield { ...first, reason: 'a quote is opened and not closed in its place' };
      } else {
        waiting.splice(0, text.split('\n').length);
        yield { ...first, text };
      }
    }
  };
  for await (const line of lines) {
    waiting.push(line);
    yield* take(false);
  }
  yield* take(true);
}

/** The text of as many lines as it takes until all quotes are closed; undefined when they never are. */
function recordAtStartOf(lines: readonly Line[]): string | undefined {
  let open = false;
  for (const [index, line] of lines.entries()) {
    if ('reason' in line) return undefined;
    if (isOpen(line.text)) open = !open;
    if (!open)
      return lines
        .slice(0, index + 1)
        .map(({ text }) => text)
        .join('\n');
  }
  return undefined;
}

/** An odd number of quotes: a quoted field goes on in the next line. */
function isOpen(text: string): boolean {
  let quotes = 0;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) quotes += 1;
  return quotes % 2 === 1;
}

// ---- both

interface Written {
  readonly leadTypeId?: string | undefined;
  readonly source?: string | undefined;
  readonly capturedAt?: string | undefined;
  readonly contact: Contact;
}

function leadOf({ contact, ...written }: Written, defaults: LeadFileOptions): ReceiveLeadRequest | string {
  const leadTypeId = written.leadTypeId ?? defaults.leadTypeId;
  const source = written.source ?? defaults.source;
  if (leadTypeId === undefined) return 'leadTypeId: is missing';
  if (source === undefined) return 'source: is missing';
  if (written.capturedAt === undefined) return { leadTypeId, source, contact };
  const capturedAt = parseInstant(written.capturedAt);
  if (!capturedAt || !instant.safeParse(capturedAt).success)
    return `capturedAt: "${shortened(written.capturedAt, 40)}" is no instant with a zone, like 2026-05-01T09:30:00-04:00`;
  return { leadTypeId, source, capturedAt, contact };
}

function rowOf(line: Line, read: () => ReceiveLeadRequest | string): LeadRow {
  const { number } = line;
  const text = shortened(line.text, 2000);
  if ('reason' in line) return { line: number, text, reason: line.reason };
  let lead: ReceiveLeadRequest | string;
  try {
    lead = read();
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    lead = 'is not JSON';
  }
  return typeof lead === 'string' ? { line: number, text, reason: lead } : { line: number, text, lead };
}

const reasonOf = (error: z.ZodError): string =>
  error.issues.map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message)).join('; ');

const shortened = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length)}…`;
