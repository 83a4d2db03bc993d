import { type Cell, csvLine } from '#apps/api/csv';
import { type Answer, analyse } from '#read-models/analysis';
import { views } from '#read-models/analytics';
import { connectTo } from '#read-models/engine/postgres';
import type { Place } from '#wiring/stores';
import { openAtHead } from './analysis.ts';
import { CommandFailed } from './command-failed.ts';
import { writeOut } from './output.ts';
import { parquetOf } from './parquet.ts';

export type Format = 'table' | 'csv' | 'ndjson' | 'parquet';

export interface QueryOptions {
  readonly format: Format;
  readonly timeoutSeconds: number;
  /** A file; default: standard output. */
  readonly output?: string | undefined;
}

/** Answers one question on the views of analysts. @throws QueryFailed, CannotOpenStore */
export const query = (place: Place, question: string, { format, timeoutSeconds, output }: QueryOptions) =>
  writeOut(formats[format](named(ask(place, question, { timeoutSeconds }))), output);

/** Writes a whole view, however long it is. */
export async function exportView(place: Place, view: string, options: QueryOptions): Promise<void> {
  if (!views.some(({ name }) => name === view))
    throw new CommandFailed(`there is no view ${view}: there are ${views.map(({ name }) => name).join(', ')}`);
  await query(place, `SELECT * FROM ${view}`, options);
}

/**
 * On a PostgreSQL nothing else is needed, and nothing else opened: analysts may be allowed no more than that. Beside the
 * events, what is not in the tables yet is brought there first.
 */
async function* ask(place: Place, question: string, options: { timeoutSeconds: number }): AsyncGenerator<Answer> {
  const { databaseUrl } = place;
  if (databaseUrl !== undefined) {
    yield* analyse(() => connectTo(databaseUrl), question, options);
    return;
  }
  const analysis = await openAtHead(place);
  try {
    yield* analysis.readModels.analyse(question, options);
  } finally {
    await analysis.close();
  }
}

type Answers = AsyncIterable<Answer>;

/** Of two columns of one name, NDJSON would keep the second only. */
async function* named(answers: Answers): AsyncGenerator<Answer> {
  for await (const answer of answers) {
    const twice = answer.columns.find((name, index, all) => all.indexOf(name) < index);
    if (twice !== undefined) throw new CommandFailed(`two columns are called ${twice}: give them names with AS`);
    yield answer;
  }
}

/** A number with more digits than most readers of JSON keep is written as text. */
const jsonOf = (value: unknown): string =>
  JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? String(part) : part));

const formats: Readonly<Record<Format, (answers: Answers) => AsyncIterable<string | Uint8Array>>> = {
  async *csv(answers) {
    let first = true;
    for await (const { columns, rows } of answers) {
      if (first) yield csvLine(columns);
      first = false;
      yield rows.map((row) => csvLine(row.map(cellOf))).join('');
    }
  },

  async *ndjson(answers) {
    for await (const { columns, rows } of answers)
      yield rows
        .map((row) => `${jsonOf(Object.fromEntries(columns.map((name, index) => [name, row[index]])))}\n`)
        .join('');
  },

  parquet: parquetOf,

  /** Each piece of a long answer has widths of its own: nothing waits for what comes after it. */
  async *table(answers) {
    for await (const { columns, rows } of answers) yield tableOf(columns, rows);
  },
};

function tableOf(columns: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const cells = [columns, ...rows].map((row) => row.map((value) => printable(cellOf(value) ?? '')));
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => (row[index] as string).length)));
  const isNumber = columns.map((_, index) =>
    rows.every((row) => row[index] === null || typeof row[index] === 'number' || typeof row[index] === 'bigint'),
  );
  const pad = (text: string, index: number) =>
    isNumber[index] ? text.padStart(widths[index] as number) : text.padEnd(widths[index] as number);
  const [head, ...body] = cells.map((row) => row.map(pad).join('  ').trimEnd());
  return `${[head, widths.map((width) => '-'.repeat(width)).join('  '), ...body].join('\n')}\n`;
}

/** Whatever is in a cell, it moves no cursor and colours nothing. */
const printable = (cell: Cell): string => String(cell).replace(/\p{Cc}/gu, ' ');

function cellOf(value: unknown): Cell | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'string') return value;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
