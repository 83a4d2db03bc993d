import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { Activities } from '#domain/kernel/activities';
import { counted, thousands } from '#domain/kernel/counted';
import { lostRows } from '#requests/lead-files/counts';
import { readLeadFile } from '#requests/lead-files/lead-file';
import {
  type FileReading,
  LeadFileError,
  type LeadFileOptions,
  type LeadFileRow,
} from '#requests/lead-files/lead-file-row';
import type { StoreLocation } from '#wiring/stores';
import { CommandFailed } from './command-failed.ts';
import { type Intake, openIntake, type Result } from './import/intake.ts';
import { RejectedRows } from './import/rejected-rows.ts';
import { printLines } from './print.ts';
import { bar, Progress } from './progress.ts';
import { tellingOfCommand } from './telling.ts';

interface ImportOptions extends Omit<LeadFileOptions, 'format'> {
  /** Default: by the name of the file. */
  readonly format?: LeadFileOptions['format'];
  /** The file for rejected rows; default: FILE.rejected.csv. */
  readonly rejected?: string;
}

const ROWS_AT_ONCE = 256;
const BATCHES_UNDER_WAY = 4;

/**
 * Imports a file of leads. Importing it again changes nothing, because a lead is identified by its contents. Rejected rows
 * go into a separate file, with line and reason. Memory does not grow with the size of the file.
 * @throws CommandFailed, CannotOpenStore
 */
export async function importLeads(location: StoreLocation, file: string, options: ImportOptions): Promise<void> {
  const { size } = await stat(file).catch((error: Error) => {
    throw new CommandFailed(`${file} cannot be read: ${error.message}`);
  });
  const format = options.format ?? formatOf(file);
  const bytes = createReadStream(file);
  const told: FileReading[] = [];
  const read = readLeadFile(bytes, { ...options, format }, (reading) => told.push(reading));
  const rows = await readFrom(file, read);
  const said = told.flatMap(readingIn);
  if (said.length > 0) printLines(...said);
  const telling = await tellingOfCommand();
  const activities = telling?.activities ?? new Activities();
  const leadImport = new LeadImport(await openIntake(location, activities), options.rejected ?? `${file}.rejected.csv`);
  const start = performance.now();
  try {
    const id = randomUUID();
    const about = { kind: 'import', name: format, id, correlationId: id } as const;
    const run = () => leadImport.run(rows, () => bar(bytes.bytesRead, size));
    await activities.during(about, run, () => ({ outcome: 'done', details: leadImport.counts }));
  } finally {
    await leadImport.close();
    await telling?.telemetry?.stop();
  }
  printLines(...leadImport.report(file, (performance.now() - start) / 1000));
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
function readingIn({ encoding, delimiter = ',', exportOf, ignoredColumns, keptColumns }: FileReading): string[] {
  const between = delimiterNames.get(delimiter) ?? delimiter;
  const isUsual = encoding === 'utf-8' && delimiter === ',' && exportOf === undefined;
  return [
    ...(isUsual
      ? []
      : [`read as ${encodingNames[encoding]} with ${between}${exportOf ? `, an export of ${exportOf}` : ''}`]),
    ...(ignoredColumns.length > 0 ? [`ignored columns: ${ignoredColumns.join(', ')}`] : []),
    ...(keptColumns.length > 0 ? [`kept as extra fields: ${keptColumns.join(', ')}`] : []),
  ];
}

function formatOf(file: string): 'csv' | 'ndjson' {
  const extension = extname(file).toLowerCase();
  if (extension === '.csv' || extension === '.tsv') return 'csv';
  if (extension === '.ndjson' || extension === '.jsonl') return 'ndjson';
  throw new CommandFailed(`the format of ${file} is not known: add --format csv or --format ndjson`);
}

/**
 * Reads the first row at once, so that a file that cannot be read as leads is refused before a store is opened.
 * @throws CommandFailed
 */
async function readFrom(file: string, rows: AsyncGenerator<LeadFileRow>): Promise<AsyncIterable<LeadFileRow>> {
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
class LeadImport {
  readonly #intake: Intake;
  readonly #rejected: RejectedRows;
  readonly #counts = { rows: 0, new: 0, known: 0, duplicate: 0 };

  constructor(intake: Intake, rejectedFile: string) {
    this.#intake = intake;
    this.#rejected = new RejectedRows(rejectedFile);
  }

  /** @throws CommandFailed */
  async run(rows: AsyncIterable<LeadFileRow>, barNow: () => string): Promise<void> {
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

  async #receive(rows: readonly LeadFileRow[]): Promise<void> {
    const leads = rows.flatMap((row) => ('lead' in row ? [row.lead] : []));
    const results = (leads.length > 0 ? await this.#intake.receive(leads) : []).values();
    for (const row of rows) {
      const result = 'lead' in row ? (results.next().value as Result) : row;
      if (typeof result === 'string') this.#counts[result] += 1;
      else await this.#rejected.add(row, result.reason);
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
  get counts() {
    const { new: received, known, duplicate: duplicates } = this.#counts;
    return { received, known, duplicates, rejected: this.#rejected.count };
  }

  report(file: string, seconds: number): string[] {
    const { rows, new: imported, known, duplicate } = this.#counts;
    const { count: rejected, file: rejectedFile } = this.#rejected;
    return [
      `${counted(rows, 'row')} of ${file} in ${seconds.toFixed(1)} s (${thousands(rows / seconds)} a second)`,
      `  ${thousands(imported).padStart(10)}  leads imported`,
      `  ${thousands(known).padStart(10)}  known before`,
      `  ${thousands(rejected).padStart(10)}  rows rejected${rejected > 0 ? `: see ${rejectedFile}` : ''}`,
      `  ${thousands(duplicate).padStart(10)}  duplicates: another lead has the person`,
    ];
  }
}

/** Handles rows in batches, a few batches at once, in constant memory. */
async function inBatches(
  rows: AsyncIterable<LeadFileRow>,
  handle: (batch: readonly LeadFileRow[]) => Promise<void>,
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

async function* batchesOf(rows: AsyncIterable<LeadFileRow>): AsyncGenerator<readonly LeadFileRow[]> {
  let batch: LeadFileRow[] = [];
  for await (const row of rows) {
    if (batch.push(row) < ROWS_AT_ONCE) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
