import { createReadStream, createWriteStream, type WriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { NestFactory } from '@nestjs/core';
import { trialCaller } from '#domain/kernel/caller';
import { deriveId } from '#domain/kernel/ids';
import { holderOf } from '#event-store/data-directory';
import type { Position } from '#event-store/port';
import { ProcessEngine } from '#processes/engine/engine';
import { readLeadFile } from '#requests/lead-files/lead-file';
import { LeadFileError, type LeadFileOptions, type LeadFileRow } from '#requests/lead-files/lead-file-row';
import type { ReceiveLeadRequest } from '#requests/leads';
import type { Requests } from '#requests/requests';
import { LeadgerModule } from '#wiring/leadger.module';
import { startLeadger } from '#wiring/start';
import { openStores, type StoreLocation } from '#wiring/stores';
import { REQUESTS } from '#wiring/tokens';
import { CommandFailed } from './command-failed.ts';
import { bar, Progress, thousands } from './progress.ts';

export interface ImportOptions extends Omit<LeadFileOptions, 'format'> {
  /** Default: by the name of the file. */
  readonly format?: LeadFileOptions['format'];
  /** Where rejected rows go; default: beside the file. */
  readonly rejected?: string;
}

/** Whether a lead is new, or why it was rejected. */
type Taken = 'new' | 'known' | { readonly reason: string };

/** Imports leads into the store, directly or through the instance that is running on it. */
interface Intake {
  take(leads: readonly ReceiveLeadRequest[]): Promise<Taken[]>;
  /** Waits until the leads are distributed and readable, as far as possible. */
  finish(): Promise<void>;
  close(): Promise<void>;
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
  const rejected = new RejectedRows(options.rejected ?? `${file}.rejected.csv`);
  const intake = await openIntake(location);
  const start = performance.now();
  const counts = { rows: 0, new: 0, known: 0 };
  try {
    const bytes = createReadStream(file);
    const progress = new Progress((rows) => `${bar(bytes.bytesRead, size)}${thousands(rows)} rows`);
    await inBatches(readLeadFile(bytes, { ...options, format }), async (rows) => {
      const leads = rows.flatMap((row) => ('lead' in row ? [row.lead] : []));
      const taken = (leads.length > 0 ? await intake.take(leads) : []).values();
      for (const row of rows) {
        const result = 'lead' in row ? (taken.next().value as Taken) : row;
        if (typeof result === 'string') counts[result] += 1;
        else await rejected.add(row, result.reason);
      }
      counts.rows += rows.length;
      progress.update(counts.rows);
    });
    await intake.finish();
    progress.end();
  } catch (error) {
    if (error instanceof LeadFileError) throw new CommandFailed(`${file}: ${error.message}`);
    throw error;
  } finally {
    await rejected.close();
    await intake.close();
  }
  const seconds = (performance.now() - start) / 1000;
  console.log(`${thousands(counts.rows)} rows of ${file} in ${seconds.toFixed(1)} s (${thousands(counts.rows / seconds)} a second)
  ${thousands(counts.new).padStart(10)}  leads imported
  ${thousands(counts.known).padStart(10)}  known before
  ${thousands(rejected.count).padStart(10)}  rows rejected${rejected.count > 0 ? `: see ${rejected.file}` : ''}`);
}

function formatOf(file: string): 'csv' | 'ndjson' {
  const extension = extname(file).toLowerCase();
  if (extension === '.csv') return 'csv';
  if (extension === '.ndjson' || extension === '.jsonl') return 'ndjson';
  throw new CommandFailed(`the format of ${file} is not known: add --format csv or --format ndjson`);
}

/** Handles rows in batches, a few batches at once, in constant memory. */
async function inBatches(
  rows: AsyncIterable<LeadFileRow>,
  handle: (batch: readonly LeadFileRow[]) => Promise<void>,
): Promise<void> {
  const underWay = new Set<Promise<void>>();
  let batch: LeadFileRow[] = [];
  const send = async () => {
    const handled: Promise<void> = handle(batch).finally(() => underWay.delete(handled));
    underWay.add(handled);
    batch = [];
    if (underWay.size >= BATCHES_UNDER_WAY) await Promise.race(underWay);
  };
  try {
    for await (const row of rows) if (batch.push(row) === ROWS_AT_ONCE) await send();
    if (batch.length > 0) await send();
  } finally {
    await Promise.allSettled(underWay);
  }
  await Promise.all(underWay);
}

async function openIntake(location: StoreLocation): Promise<Intake> {
  const url = location.directory === undefined ? undefined : holderOf(location.directory)?.url;
  return url ? runningInstance(url) : ownInstance(location);
}

const ACTOR = 'staff:import';

async function ownInstance(location: StoreLocation): Promise<Intake> {
  const stores = await openStores(location);
  // What is on servers has workers elsewhere: leads are only handed in here.
  const works = stores.directory !== undefined;
  const application = await NestFactory.createApplicationContext(LeadgerModule.on(stores, { works }), {
    logger: ['error', 'warn'],
    abortOnError: false,
  }).catch(async (error) => {
    await stores.close();
    throw error;
  });
  const { running } = await startLeadger(application);
  const stopped = running.then(() => {
    if (works) throw new CommandFailed('the processes stopped');
    return new Promise<never>(() => {});
  });
  stopped.catch(() => {});
  const requests = application.get<Requests>(REQUESTS);
  const context = { caller: trialCaller(ACTOR), commandId: deriveId('import', crypto.randomUUID()) };
  return {
    async take(leads) {
      const answers = await Promise.race([requests.leads.receive(leads, context), stopped]);
      return answers.map(({ outcome }) => {
        if (outcome.kind === 'accepted') return outcome.events.length > 0 ? 'new' : 'known';
        return { reason: outcome.kind === 'refused' ? outcome.refusal.message : outcome.kind };
      });
    },
    async finish() {
      if (!works) return;
      await Promise.race([application.get(ProcessEngine).settle(), stopped]);
      const head: Position = await stores.events.head();
      await stores.readModels.waitFor(head, 60_000);
    },
    close: () => application.close(),
  };
}

interface BatchReport {
  readonly received: number;
  readonly known: number;
  readonly rejections: readonly { line: number; reason: string }[];
}

/** The data directory belongs to the running instance, so it is asked to take the leads. */
async function runningInstance(url: string): Promise<Intake> {
  console.error(`leadger: the store is running at ${url}: the leads go there`);
  return {
    async take(leads) {
      const body = leads.map((lead) => `${JSON.stringify(lead)}\n`).join('');
      const response = await fetch(`${url}/api/leads/batches`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson', 'leadger-actor': ACTOR },
        body,
      }).catch((error: Error) => {
        throw new CommandFailed(`${url} cannot be reached: ${error.message}`);
      });
      if (!response.ok) throw new CommandFailed(`${url} answered ${response.status}: ${await response.text()}`);
      const { rejections, known } = (await response.json()) as BatchReport;
      const reasons = new Map(rejections.map(({ line, reason }) => [line, reason]));
      let knownLeft = known;
      return leads.map((_, index): Taken => {
        const reason = reasons.get(index + 1);
        if (reason !== undefined) return { reason };
        knownLeft -= 1;
        return knownLeft >= 0 ? 'known' : 'new';
      });
    },
    async finish() {},
    async close() {},
  };
}

/** The file is created with the first rejected row, so that it does not exist when all rows are good. */
class RejectedRows {
  readonly file: string;
  count = 0;
  #stream: WriteStream | undefined;
  #failed: Error | undefined;

  constructor(file: string) {
    this.file = file;
  }

  async add({ line, text }: LeadFileRow, reason: string): Promise<void> {
    if (!this.#stream) {
      this.#stream = createWriteStream(this.file).on('error', (error) => {
        this.#failed = error;
      });
      this.#stream.write('line,reason,row\n');
    }
    this.count += 1;
    if (!this.#stream.write(`${line},${quoted(reason)},${quoted(text)}\n`))
      await new Promise<void>((resolve) => this.#stream?.once('drain', resolve).once('error', () => resolve()));
    if (this.#failed) throw new CommandFailed(`${this.file} cannot be written: ${this.#failed.message}`);
  }

  async close(): Promise<void> {
    if (this.#stream && !this.#failed) await new Promise<void>((resolve) => this.#stream?.end(resolve));
  }
}

const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
