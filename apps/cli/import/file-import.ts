import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { counted, thousands } from '#domain/kernel/counted';
import { lostRows } from '#requests/lead-files/counts';
import { type FileReading, type FileRow, LeadFileError } from '#requests/lead-files/lead-file-row';
import type { StoreLocation } from '#wiring/stores';
import { CommandFailed } from '../command-failed.ts';
import { printLines } from '../print.ts';
import { bar, Progress } from '../progress.ts';
import { noteCounts } from '../telling.ts';
import { type Counts, type Imported, type Intake, openIntake, type Result } from './intake.ts';
import { RejectedRows } from './rejected-rows.ts';

export interface FileImportOptions {
  /** Default: by the name of the file. */
  readonly format?: 'csv' | 'ndjson';
  /** The file for rejected rows; default: FILE.rejected.csv. */
  readonly rejected?: string;
}

type Format = 'csv' | 'ndjson';
type Tell = (reading: FileReading) => void;

/** A kind of file: how its rows are read, and how it is told what became of them. */
export interface FileKind<Said extends object, Item> extends Imported<Item> {
  readonly read: (bytes: AsyncIterable<Uint8Array>, format: Format, told: Tell) => AsyncGenerator<FileRow<Said>>;
  /** What a row brings. `incomplete`: what of it was not understood. */
  readonly itemOf: (said: Said) => { readonly item: Item; readonly incomplete?: string | undefined };
  /** What the API calls the counts. A kind that has no duplicates does not tell of them. */
  readonly namesOfCounts: Readonly<Partial<Record<keyof Counts, string>>>;
  /** What they are called for people. */
  readonly words: Readonly<Partial<Record<keyof Counts, string>>>;
}

const ROWS_AT_ONCE = 256;
const BATCHES_UNDER_WAY = 4;

/**
 * Imports a file. Rows that are rejected go into a separate file, with line and reason. Memory does not grow with the size of the
 * file.
 * @throws CommandFailed, CannotOpenStore
 */
export async function importFile<Said extends object, Item>(
  location: StoreLocation,
  file: string,
  options: FileImportOptions,
  kind: FileKind<Said, Item>,
): Promise<void> {
  const { size } = await stat(file).catch((error: Error) => {
    throw new CommandFailed(`${file} cannot be read: ${error.message}`);
  });
  const format = options.format ?? formatOf(file);
  const bytes = createReadStream(file);
  const told: FileReading[] = [];
  const rows = await readFrom(
    file,
    kind.read(bytes, format, (reading) => told.push(reading)),
  );
  const said = told.flatMap(readingIn);
  if (said.length > 0) printLines(...said);
  const rejected = await RejectedRows.open(options.rejected, file);
  const run = new FileImport(await openIntake(location, kind), rejected, kind);
  const start = performance.now();
  try {
    await run.run(rows, () => bar(bytes.bytesRead, size));
  } finally {
    noteCounts(run.counts);
    await run.close();
  }
  printLines(...run.report(file, (performance.now() - start) / 1000));
}

const encodingNames = {
  'utf-8': 'UTF-8',
  latin1: 'Latin-1 (Windows-1252)',
  'utf-16le': 'UTF-16',
  'utf-16be': 'UTF-16',
};
const delimiterNames = new Map([
  [',', 'commas'],
  [';', 'semicolons'],
  ['\t', 'tabs'],
  ['|', 'vertical bars'],
]);

/** What is not usual of how a file is read. */
function readingIn({
  encoding,
  delimiter = ',',
  exportOf,
  withoutHeader,
  ignoredColumns,
  keptColumns,
}: FileReading): string[] {
  const between = delimiterNames.get(delimiter) ?? delimiter;
  const isUsual = encoding === 'utf-8' && delimiter === ',' && exportOf === undefined;
  return [
    ...(isUsual
      ? []
      : [`read as ${encodingNames[encoding]} with ${between}${exportOf ? `, an export of ${exportOf}` : ''}`]),
    ...(withoutHeader ? ['read without a header: each line is one telephone number or e-mail address'] : []),
    ...(ignoredColumns.length > 0 ? [`ignored columns: ${ignoredColumns.join(', ')}`] : []),
    ...(keptColumns.length > 0 ? [`kept as extra fields: ${keptColumns.join(', ')}`] : []),
  ];
}

function formatOf(file: string): Format {
  const extension = extname(file).toLowerCase();
  if (extension === '.csv' || extension === '.tsv') return 'csv';
  if (extension === '.ndjson' || extension === '.jsonl') return 'ndjson';
  throw new CommandFailed(`the format of ${file} is not known: add --format csv or --format ndjson`);
}

/**
 * Reads the first row at once, so that a file that cannot be read is refused before a store is opened.
 * @throws CommandFailed
 */
async function readFrom<Row>(file: string, rows: AsyncGenerator<Row>): Promise<AsyncIterable<Row>> {
  const next = () =>
    rows.next().catch((error: unknown) => {
      throw error instanceof LeadFileError ? new CommandFailed(`${file}: ${error.message}`) : error;
    });
  const first = await next();
  return (async function* () {
    for (let row = first; !row.done; row = await next()) yield row.value;
  })();
}

/** One run of the command: receives the rows of a file and counts what became of them. */
class FileImport<Said extends object, Item> {
  readonly #intake: Intake<Item>;
  readonly #rejected: RejectedRows;
  readonly #kind: FileKind<Said, Item>;
  readonly #counts = { rows: 0, new: 0, known: 0, duplicate: 0 };

  constructor(intake: Intake<Item>, rejected: RejectedRows, kind: FileKind<Said, Item>) {
    this.#intake = intake;
    this.#rejected = rejected;
    this.#kind = kind;
  }

  /** @throws CommandFailed */
  async run(rows: AsyncIterable<FileRow<Said>>, barNow: () => string): Promise<void> {
    const progress = new Progress((rows) => `${barNow()}${counted(rows, 'row')}`);
    await inBatches(rows, async (rows) => {
      await this.#receive(rows);
      progress.update(this.#counts.rows);
    });
    await this.#intake.finish();
    progress.end();
    const { rows: all, new: taken, known, duplicate } = this.#counts;
    const lost = lostRows({ rows: all, taken, known, duplicate, rejected: this.#rejected.count });
    if (lost) throw new CommandFailed(lost);
  }

  async #receive(rows: readonly FileRow<Said>[]): Promise<void> {
    const read = rows.map((row) => ('reason' in row ? undefined : this.#kind.itemOf(row)));
    const items = read.flatMap((one) => (one === undefined ? [] : [one.item]));
    const results = (items.length > 0 ? await this.#intake.receive(items) : []).values();
    for (const [index, row] of rows.entries()) {
      const result = 'reason' in row ? row : (results.next().value as Result);
      const incomplete = read[index]?.incomplete;
      if (typeof result !== 'string') await this.#rejected.add(row, result.reason);
      else if (incomplete !== undefined) await this.#rejected.addIncomplete(row, incomplete);
      if (typeof result === 'string') this.#counts[result] += 1;
    }
    this.#counts.rows += rows.length;
  }

  async close(): Promise<void> {
    try {
      await this.#rejected.close();
    } finally {
      await this.#intake.close();
    }
  }

  /** By the names that the API has for them. */
  get counts(): Readonly<Record<string, number>> {
    const names = Object.entries(this.#kind.namesOfCounts) as [keyof Counts, string][];
    const counts = names.map(([count, name]) => [name, this.#counts[count]]);
    return { ...Object.fromEntries(counts), rejected: this.#rejected.count };
  }

  report(file: string, seconds: number): string[] {
    const { rows, ...counts } = this.#counts;
    const { count: rejected, incomplete, file: rejectedFile } = this.#rejected;
    const { new: taken, known, duplicate } = this.#kind.words;
    const see = `: see ${rejectedFile}`;
    const line = (count: number, words: string) => `  ${thousands(count).padStart(10)}  ${words}`;
    return [
      `${counted(rows, 'row')} of ${file} in ${seconds.toFixed(1)} s (${thousands(rows / seconds)} a second)`,
      line(counts.new, taken ?? ''),
      line(counts.known, known ?? ''),
      line(rejected, `rows rejected${rejected > 0 ? see : ''}`),
      ...(duplicate === undefined ? [] : [line(counts.duplicate, duplicate)]),
      ...(incomplete > 0 ? [line(incomplete, `rows not rejected, but not understood as a whole${see}`)] : []),
    ];
  }
}

/** Handles rows in batches, a few batches at once, in constant memory. */
async function inBatches<Row>(
  rows: AsyncIterable<Row>,
  handle: (batch: readonly Row[]) => Promise<void>,
): Promise<void> {
  const underWay = new Set<Promise<unknown>>();
  try {
    for await (const batch of batchesOf(rows)) {
      // A failed batch stays in the set, so that the next wait throws its error.
      const handled: Promise<unknown> = handle(batch).then(() => underWay.delete(handled));
      underWay.add(handled);
      if (underWay.size >= BATCHES_UNDER_WAY) await Promise.race(underWay);
    }
  } finally {
    await Promise.allSettled(underWay);
  }
  await Promise.all(underWay);
}

async function* batchesOf<Row>(rows: AsyncIterable<Row>): AsyncGenerator<readonly Row[]> {
  let batch: Row[] = [];
  for await (const row of rows) {
    if (batch.push(row) < ROWS_AT_ONCE) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
