import { parse as parseCsv } from 'csv-parse/sync';
import type { FileLine } from './lines.ts';

/** The cells of one record, or why it has none. */
export function cellsOf(text: string, delimiter: string): string[] | string {
  if (!text.includes('"')) return text.split(delimiter);
  // Spreadsheets are made to keep zeros by ="01234", which is no CSV unless it is quoted.
  const isQuoted = !text.includes('="') || typeof parsed(text, delimiter, 'strict') !== 'string';
  const cells = parsed(isQuoted ? text : withFormulasQuoted(text, delimiter), delimiter);
  return typeof cells === 'string' ? parsed(text.replaceAll(OWNER_OF_AN_ADDRESS, ''), delimiter) : cells;
}

/** Mail programs copy an address beside a name in quotes, which is no CSV: "Pat" <pat@example.org>. */
const OWNER_OF_AN_ADDRESS = /"[^"]*"\s*(?=<[^<>\s"]+@[^<>\s"]+>)/g;

/** A quote inside of a cell without quotes is a character like others (a 5" pipe), unless it is read strictly. */
function parsed(text: string, delimiter: string, how: 'strict' | 'as people write' = 'as people write') {
  const relaxed = { relax_column_count: true, relax_quotes: how !== 'strict', trim: true };
  try {
    const records = parseCsv(text, { delimiter, ...relaxed }) as string[][];
    // The reader of lines splits at every end of a row, so this is a defect; no row is lost without a word.
    return records.length > 1 ? 'is more than one row' : (records[0] ?? ['']);
  } catch (error) {
    return (error as Error).message.replace(/ at line \d+.*$/, '').replace(/^Invalid/, 'invalid');
  }
}

function withFormulasQuoted(text: string, delimiter: string): string {
  const between = delimiter.replace(/[^\w\s]/, '\\$&');
  const formula = new RegExp(`(^|${between})="([^"]*)"(?=${between}|$)`, 'g');
  return text.replaceAll(formula, '$1"=""$2"""');
}

const MOST_LINES_OF_A_RECORD = 100;
const MOST_CHARACTERS_OF_A_RECORD = 1024 * 1024;

/** The lines of one row. `number` is that of its first line. */
export type FileRecord = FileLine & { readonly lines: number };

/** A line that waits for the end of its record. Its quotes are counted once, however many lines come after it. */
type WaitingLine = FileLine & { readonly hasOddQuotes: boolean };

/** Whether a text of so many lines has the right number of cells. */
type Fits = (text: string, lines: number) => boolean;

export const OPEN_QUOTE = 'a quote is opened but not closed';

/**
 * Joins the lines that a quoted field spans. A quote that is never closed would swallow all rows up to the next quote or the
 * end of the file. So if several lines do not form a record with the right number of cells, only the first line is wrong,
 * and reading continues with the next line. Each line is in exactly one record.
 */
export async function* recordsOf(lines: AsyncIterable<FileLine>, fits: Fits): AsyncGenerator<FileRecord> {
  const waiting: WaitingLine[] = [];
  for await (const line of lines) {
    waiting.push({ ...line, hasOddQuotes: hasOddQuotes(line.text) });
    yield* completeRecords(waiting, fits, false);
  }
  yield* completeRecords(waiting, fits, true);
}

/** Takes all records off the waiting lines that are complete, or that no further line can complete. */
function* completeRecords(waiting: WaitingLine[], fits: Fits, atEnd: boolean): Generator<FileRecord> {
  while (waiting.length > 0) {
    const { hasOddQuotes: _, ...first } = waiting[0] as WaitingLine;
    const lines = isWhole(waiting[0] as WaitingLine, fits) ? 1 : linesOfRecordAtStart(waiting);
    if (lines === undefined && !atEnd && mayContinue(waiting)) return;
    const text = textOf(waiting.slice(0, lines));
    if (lines !== undefined && (lines === 1 || fits(text, lines))) {
      waiting.splice(0, lines);
      yield { ...first, text, lines };
    } else {
      waiting.shift();
      yield { ...first, lines: 1, reason: OPEN_QUOTE, readable: first.text };
    }
  }
}

/** With an odd number of quotes, too, if they stand inside of cells without quotes. */
const isWhole = (line: WaitingLine, fits: Fits): boolean =>
  'reason' in line || !line.hasOddQuotes || fits(line.text, 1);

const mayContinue = (record: readonly FileLine[]): boolean =>
  record.length < MOST_LINES_OF_A_RECORD &&
  record.reduce((characters, { text }) => characters + text.length, 0) < MOST_CHARACTERS_OF_A_RECORD;

/** How many lines it takes until all quotes are closed; undefined when they never are. */
function linesOfRecordAtStart(lines: readonly WaitingLine[]): number | undefined {
  let open = false;
  for (const [index, line] of lines.entries()) {
    if ('reason' in line) return undefined;
    if (line.hasOddQuotes) open = !open;
    if (!open) return index + 1;
  }
  return undefined;
}

/** Ends of lines are part of a quoted field. */
const textOf = (lines: readonly FileLine[]): string =>
  lines.map(({ text, end }, index) => (index === lines.length - 1 ? text : text + end)).join('');

/** With an odd number of quotes, a quoted field continues in the next line. */
function hasOddQuotes(text: string): boolean {
  let quotes = 0;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) quotes += 1;
  return quotes % 2 === 1;
}
