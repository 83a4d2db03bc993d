import { contact } from '#domain/leads/contact';
import type { ReceiveLeadRequest } from '../lead-receipt.ts';
import { cellsOf, type FileRecord, OPEN_QUOTE, recordsOf } from './csv-records.ts';
import { delimiterLine, type Header, nameOf, readHeader } from './header.ts';
import {
  type FileReading,
  LeadFileError,
  type LeadFileOptions,
  type LeadFileRow,
  leadFileRowOf,
  leadOf,
  reasonOf,
} from './lead-file-row.ts';
import type { FileLine } from './lines.ts';
import { valuesOf } from './row-values.ts';

/** What is said of the columns of a file. */
type Columns = Omit<FileReading, 'encoding'>;

/** @throws LeadFileError for a header that cannot be understood, or when an open quote makes all rows after it wrong */
export async function* rowsOfCsv(
  lines: AsyncIterable<FileLine>,
  options: LeadFileOptions,
  told: (columns: Columns) => void,
): AsyncGenerator<LeadFileRow> {
  let header: Header | undefined;
  let delimiter: string | undefined;
  const check = afterOpenQuote();
  // The names in a header may have several lines.
  const fits = (text: string, lines: number) => (header ? hasCellsOf(header, text) : lines > 1);
  for await (const record of recordsOf(lines, fits)) {
    if (record.text.trim() === '') continue;
    if (header) {
      const row = rowOf(header, record, options);
      yield row;
      check(row);
      continue;
    }
    const named = delimiter === undefined ? delimiterLine(record.text) : undefined;
    if (named !== undefined) delimiter = named;
    else {
      header = readHeader(record, delimiter, options);
      told(columnsOf(header));
    }
  }
  if (!header) throw new LeadFileError('the file is empty: it has no header');
}

const columnsOf = ({ delimiter, names, kept, ignored, knownExport }: Header): Columns => ({
  delimiter,
  ...(knownExport && { exportOf: knownExport.name }),
  ignoredColumns: ignored,
  keptColumns: kept.map((index) => nameOf(names, index)),
});

function hasCellsOf({ names, delimiter }: Header, text: string): boolean {
  const cells = cellsOf(text, delimiter);
  return typeof cells !== 'string' && cells.length === names.length;
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

const rowOf = (header: Header, record: FileRecord, options: LeadFileOptions): LeadFileRow =>
  leadFileRowOf(record, () => leadOfRecord(header, record, options));

/** The lead of one record, or why it is not one. */
function leadOfRecord(header: Header, record: FileRecord, options: LeadFileOptions): ReceiveLeadRequest | string {
  const { names, delimiter } = header;
  const cells = cellsOf(record.text, delimiter);
  if (typeof cells === 'string') return cells;
  if (cells.length !== names.length) return `has ${cells.length} fields where the header has ${names.length}`;
  if (record.lines > 1 && holdsAnotherRow(header, record, options))
    return `a quoted field goes on to line ${record.number + record.lines - 1}, and holds what looks like another row: is a quote missing?`;
  return leadOfCells(header, cells, options);
}

function leadOfCells(header: Header, cells: readonly string[], options: LeadFileOptions): ReceiveLeadRequest | string {
  const values = valuesOf(header, cells);
  if (typeof values === 'string') return values;
  const { leadTypeId, source, capturedAt, ...person } = values;
  const read = contact.safeParse(person);
  return read.success ? leadOf({ leadTypeId, source, capturedAt, contact: read.data }, options) : reasonOf(read.error);
}

/** A quote that was forgotten may be closed by one of a later row: then the rows between would be lost in a field. */
function holdsAnotherRow(header: Header, { text }: FileRecord, options: LeadFileOptions): boolean {
  if (header.names.length === 1) return false;
  const [, ...others] = text.split(/\r\n|\r|\n/);
  return others.some((line) => {
    const cells = cellsOf(line.replaceAll('"', ''), header.delimiter);
    return (
      typeof cells !== 'string' &&
      cells.length === header.names.length &&
      typeof leadOfCells(header, cells, options) !== 'string'
    );
  });
}
