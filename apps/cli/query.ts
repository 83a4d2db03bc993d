import { type Cell, csvLine, Digits } from '#apps/csv';
import { onOneLine } from '#apps/terminal-text';
import { views } from '#read-models/analytics';
import { analyse, type RowBatch } from '#read-models/engine/analysis';
import { NUMERIC } from '#read-models/engine/parsers';
import { connectTo } from '#read-models/engine/postgres';
import type { StoreLocation } from '#wiring/stores';
import { openAtHead } from './analysis.ts';
import { CommandFailed } from './command-failed.ts';
import { jsonOf } from './json.ts';
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
export const query = (location: StoreLocation, question: string, { format, timeoutSeconds, output }: QueryOptions) =>
  writeOut(formats[format](named(ask(location, question, { timeoutSeconds }))), output);

/** Writes a whole view, however long it is. */
export async function exportView(location: StoreLocation, view: string, options: QueryOptions): Promise<void> {
  if (!views.some(({ name }) => name === view))
    throw new CommandFailed(`there is no view ${view}: there are ${views.map(({ name }) => name).join(', ')}`);
  await query(location, `SELECT * FROM ${view}`, options);
}

/**
 * With a PostgreSQL nothing else is opened, because analysts may have no other rights. With a directory, the read models
 * first catch up with the log.
 */
async function* ask(
  location: StoreLocation,
  question: string,
  options: { timeoutSeconds: number },
): AsyncGenerator<RowBatch> {
  const { databaseUrl } = location;
  if (databaseUrl !== undefined) {
    yield* analyse(() => connectTo(databaseUrl), question, options);
    return;
  }
  const analysis = await openAtHead(location);
  try {
    yield* analysis.readModels.analyse(question, options);
  } finally {
    await analysis.close();
  }
}

type Batches = AsyncIterable<RowBatch>;

/** Refuses two columns of one name: NDJSON would keep only the second. */
async function* named(answers: Batches): AsyncGenerator<RowBatch> {
  for await (const answer of answers) {
    const twice = answer.columns.find((name, index, all) => all.indexOf(name) < index);
    if (twice !== undefined) throw new CommandFailed(`two columns are called ${twice}: give them names with AS`);
    yield answer;
  }
}

const formats: Readonly<Record<Format, (answers: Batches) => AsyncIterable<string | Uint8Array>>> = {
  async *csv(answers) {
    let first = true;
    for await (const { columns, types, rows } of answers) {
      if (first) yield csvLine(columns);
      first = false;
      yield rows.map((row) => csvLine(cellsOf(row, types))).join('');
    }
  },

  async *ndjson(answers) {
    for await (const { columns, rows } of answers)
      yield rows
        .map((row) => `${jsonOf(Object.fromEntries(columns.map((name, index) => [name, row[index]])))}\n`)
        .join('');
  },

  parquet: parquetOf,

  /** Each part of a long answer has its own column widths, so that no part waits for the next. */
  async *table(answers) {
    for await (const answer of answers) yield tableOf(answer);
  },
};

function tableOf({ columns, types, rows }: RowBatch): string {
  const cells = rows.map((row) => cellsOf(row, types));
  const texts = [columns, ...cells].map((row) => row.map((cell) => onOneLine(String(cell ?? ''))));
  const widths = columns.map((_, index) => Math.max(...texts.map((row) => (row[index] as string).length)));
  const isNumber = columns.map((_, index) => cells.every((row) => typeof row[index] !== 'string'));
  const pad = (text: string, index: number) =>
    isNumber[index] ? text.padStart(widths[index] as number) : text.padEnd(widths[index] as number);
  const [head, ...body] = texts.map((row) => row.map(pad).join('  ').trimEnd());
  return `${[head, widths.map((width) => '-'.repeat(width)).join('  '), ...body].join('\n')}\n`;
}

const cellsOf = (row: readonly unknown[], types: readonly number[]): (Cell | undefined)[] =>
  row.map((value, index) => cellOf(value, types[index]));

function cellOf(value: unknown, type: number | undefined): Cell | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  if (typeof value === 'string') return type === NUMERIC ? new Digits(value) : value;
  return jsonOf(value);
}
