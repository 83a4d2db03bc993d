import { parse as parseCsv } from 'csv-parse/sync';
import type { FileLine } from './lines.ts';

/** The cells of one record, or why it has none. */
export function cellsOf(text: string): string[] | string {
  if (!text.includes('"')) return text.split(',');
  try {
    const records = parseCsv(text, { relax_column_count: true }) as string[][];
    // The reader of lines splits at every end of a row, so this is a defect; no row is lost without a word.
    return records.length > 1 ? 'is more than one row' : (records[0] ?? ['']);
  } catch (error) {
    return (error as Error).message.replace(/ at line \d+.*$/, '').replace(/^Invalid/, 'invalid');
  }
}

const MOST_LINES_OF_A_RECORD = 100;
const MOST_CHARACTERS_OF_A_RECORD = 1024 * 1024;

/** A line that waits for the end of its record. Its quotes are counted once, however many lines come after it. */
type WaitingLine = FileLine & { readonly hasOddQuotes: boolean };

export const OPEN_QUOTE = 'a quote is opened but not closed';

/**
 * Joins the lines that a quoted field spans. A quote that is never closed would swallow all rows up to the next quote or the
 * end of the file. So if several lines do not form a record with the right number of cells, only the first line is wrong,
 * and reading continues with the next line.
 */
export async function* recordsOf(
  lines: AsyncIterable<FileLine>,
  fits: (text: string) => boolean,
): AsyncGenerator<FileLine> {
  const waiting: WaitingLine[] = [];
  for await (const line of lines) {
    waiting.push({ ...line, hasOddQuotes: hasOddQuotes(line.text) });
    yield* completeRecords(waiting, fits, false);
  }
  yield* completeRecords(waiting, fits, true);
}

/** Takes all records off the waiting lines that are complete, or that no further line can complete. */
function* completeRecords(
  waiting: WaitingLine[],
  fits: (text: string) => boolean,
  atEnd: boolean,
): Generator<FileLine> {
  while (waiting.length > 0) {
    const { hasOddQuotes: _, ...first } = waiting[0] as WaitingLine;
    const text = 'reason' in first ? first.text : recordAtStartOf(waiting);
    if (text === undefined && !atEnd && mayContinue(waiting)) return;
    if (text !== undefined && (text === first.text || fits(text))) {
      waiting.splice(0, text.split('\n').length);
      yield { ...first, text };
    } else {
      waiting.shift();
      yield { ...first, reason: OPEN_QUOTE };
    }
  }
}

const mayContinue = (record: readonly FileLine[]): boolean =>
  record.length < MOST_LINES_OF_A_RECORD &&
  record.reduce((characters, { text }) => characters + text.length, 0) < MOST_CHARACTERS_OF_A_RECORD;

/** The text of as many lines as it takes until all quotes are closed; undefined when they never are. */
function recordAtStartOf(lines: readonly WaitingLine[]): string | undefined {
  let open = false;
  for (const [index, line] of lines.entries()) {
    if ('reason' in line) return undefined;
    if (line.hasOddQuotes) open = !open;
    if (!open) return textOf(lines.slice(0, index + 1));
  }
  return undefined;
}

const textOf = (lines: readonly FileLine[]): string => lines.map(({ text }) => text).join('\n');

/** With an odd number of quotes, a quoted field continues in the next line. */
function hasOddQuotes(text: string): boolean {
  let quotes = 0;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) quotes += 1;
  return quotes % 2 === 1;
}
