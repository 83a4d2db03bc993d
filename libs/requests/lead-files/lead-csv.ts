import { contact } from '#domain/leads/contact';
import type { ReceiveLeadRequest } from '../lead-receipt.ts';
import { type Column, consentColumns, isOfConsent } from './column-names.ts';
import { cellsOf, type FileRecord, OPEN_QUOTE, recordsOf } from './csv-records.ts';
import { delimiterLine, type Header, type Names, nameOf, readHeader } from './header.ts';
import {
  type FileReading,
  type FileRow,
  fileRowOf,
  LeadFileError,
  type LeadFileOptions,
  type LeadFileRow,
  leadOf,
  type ReadDamaged,
  reasonOf,
} from './lead-file-row.ts';
import type { FileLine } from './lines.ts';
import { valuesOf } from './row-values.ts';
import type { WrittenTimes } from './written-times.ts';

/** What is said of the columns of a file. */
type Columns = Omit<FileReading, 'encoding'>;

/** @param told is told how the columns are read */
export const leadsOfCsv = (
  lines: AsyncIterable<FileLine>,
  options: LeadFileOptions,
  times: WrittenTimes,
  told: (columns: Columns) => void,
): AsyncGenerator<LeadFileRow> =>
  rowsOfCsv(lines, {
    header(record, delimiter) {
      const header = readHeader(record, delimiter, options);
      told(columnsOf(header));
      return header;
    },
    said(header, cells) {
      const lead = leadOfCells(header, cells, options, times);
      return typeof lead === 'string' ? lead : { lead };
    },
  });

/** What stands in the first row, and what the others say. */
export interface CsvReading<OwnHeader extends Names, Said extends object> {
  /** @throws LeadFileError */
  readonly header: (record: FileRecord, delimiter: string | undefined) => OwnHeader;
  /** What a row says, or why it cannot be read. */
  readonly said: (header: OwnHeader, cells: readonly string[]) => Said | string;
  /** What a row says whose characters or cells are damaged. Default: nothing, and the damage is why it cannot be read. */
  readonly saidByDamaged?: (header: OwnHeader, ...row: Parameters<ReadDamaged<Said>>) => Said | string;
}

/** @throws LeadFileError for a header that cannot be understood, or when an open quote makes all rows after it wrong */
export async function* rowsOfCsv<OwnHeader extends Names, Said extends object>(
  lines: AsyncIterable<FileLine>,
  reading: CsvReading<OwnHeader, Said>,
): AsyncGenerator<FileRow<Said>> {
  let header: OwnHeader | undefined;
  let delimiter: string | undefined;
  const check = afterOpenQuote();
  // The names in a header may have several lines.
  const fits = (text: string, lines: number) => (header ? hasCellsOf(header, text) : lines > 1);
  for await (const record of recordsOf(lines, fits)) {
    if (record.text.trim() === '') continue;
    if (!header) {
      const named = delimiter === undefined ? delimiterLine(record.text) : undefined;
      if (named !== undefined) delimiter = named;
      else header = reading.header(record, delimiter);
      if (!header?.withoutHeader) continue;
    }
    const row = rowIn(header, record, reading);
    yield row;
    check(row);
  }
  if (!header) throw new LeadFileError('the file is empty: it has no header');
}

const columnsOf = ({ delimiter, names, kept, ignored, knownExport }: Header): Columns => ({
  delimiter,
  ...(knownExport && { exportOf: knownExport.name }),
  ignoredColumns: ignored,
  keptColumns: kept.map((index) => nameOf(names, index)),
});

function hasCellsOf({ names, delimiter }: Names, text: string): boolean {
  const cells = cellsOf(text, delimiter);
  return typeof cells !== 'string' && cells.length === names.length;
}

const MOST_WRONG_ROWS_AFTER_AN_OPEN_QUOTE = 1000;

/** Text that a quote opens and nothing closes is no list of leads. Its lines are not reported one by one. */
function afterOpenQuote(): (row: FileRow) => void {
  let openedAt: number | undefined;
  let wrong = 0;
  return (row) => {
    if (!('reason' in row)) openedAt = undefined;
    else if (openedAt !== undefined) wrong += 1;
    else if (row.reason === OPEN_QUOTE) [openedAt, wrong] = [row.line, 0];
    if (openedAt !== undefined && wrong === MOST_WRONG_ROWS_AFTER_AN_OPEN_QUOTE)
      throw new LeadFileError(
        `line ${openedAt}: ${OPEN_QUOTE}, and none of the ${wrong} rows after it can be read; reading stopped there: close the quote and send the file again`,
      );
  };
}

/** What one record says, or why it cannot be read. */
function rowIn<OwnHeader extends Names, Said extends object>(
  header: OwnHeader,
  record: FileRecord,
  reading: CsvReading<OwnHeader, Said>,
): FileRow<Said> {
  const saidByDamaged: ReadDamaged<Said> = (readable, damage) =>
    reading.saidByDamaged?.(header, readable, damage) ?? damage;
  const said = () => {
    const cells = cellsOf(record.text, header.delimiter);
    const damage = damageOf(header, record, cells, reading);
    return damage === undefined ? reading.said(header, cells as string[]) : saidByDamaged(record.text, damage);
  };
  return fileRowOf(record, said, saidByDamaged);
}

/** Why a row cannot be read as the header says. */
function damageOf<OwnHeader extends Names, Said extends object>(
  header: OwnHeader,
  record: FileRecord,
  cells: readonly string[] | string,
  reading: CsvReading<OwnHeader, Said>,
): string | undefined {
  const { names, withoutHeader } = header;
  if (typeof cells === 'string') return cells;
  if (cells.length !== names.length)
    return `has ${cells.length} fields where ${withoutHeader ? 'the first line' : 'the header'} has ${names.length}`;
  if (record.lines > 1 && holdsAnotherRow(header, record, reading))
    return `a quoted field goes on to line ${record.number + record.lines - 1}, and holds what looks like another row: is a quote missing?`;
  return undefined;
}

function leadOfCells(
  header: Header,
  cells: readonly string[],
  options: LeadFileOptions,
  times: WrittenTimes,
): ReceiveLeadRequest | string {
  const values = valuesOf(header, cells);
  if (typeof values === 'string') return values;
  const { leadTypeId, source, capturedAt, ...texts } = values;
  const { person, consent } = apart(texts);
  const read = contact.safeParse(person);
  if (!read.success) return reasonOf(read.error);
  return leadOf({ leadTypeId, source, capturedAt, contact: read.data, consent }, options, times);
}

/** The person, and the evidence of consent. There is none where all its cells are empty. */
function apart(texts: object): { readonly person: object; readonly consent: object | undefined } {
  const all = Object.entries(texts) as [Column, unknown][];
  const evidence = all.flatMap(([column, text]) => (isOfConsent(column) ? [[consentColumns[column], text]] : []));
  return {
    person: Object.fromEntries(all.filter(([column]) => !isOfConsent(column))),
    consent: evidence.length > 0 ? Object.fromEntries(evidence) : undefined,
  };
}

/** A quote that was forgotten may be closed by one of a later row: then the rows between would be lost in a field. */
function holdsAnotherRow<OwnHeader extends Names, Said extends object>(
  header: OwnHeader,
  { text }: FileRecord,
  reading: CsvReading<OwnHeader, Said>,
): boolean {
  if (header.names.length === 1) return false;
  const [, ...others] = text.split(/\r\n|\r|\n/);
  return others.some((line) => {
    const cells = cellsOf(line.replaceAll('"', ''), header.delimiter);
    return (
      typeof cells !== 'string' &&
      cells.length === header.names.length &&
      typeof reading.said(header, cells) !== 'string'
    );
  });
}
