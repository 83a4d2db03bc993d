import { Worker } from 'node:worker_threads';
import {
  CannotOpenStore,
  EventIdTaken,
  EventStoreError,
  type NewEvent,
  OutcomeUnknown,
  StoreFull,
  StoreUnavailable,
  WrongExpectedRevision,
} from '../port.ts';
import type { WriterSettings } from './database.ts';
import type { AppendBatch, AppendReply, AppendRequest, WriterReply } from './writer.ts';

export interface AppendToWrite extends Pick<AppendRequest, 'stream' | 'expected' | 'idsOnce'> {
  readonly events: readonly NewEvent[];
}

interface WaitingAppend extends AppendToWrite {
  readonly resolve: (result: { revision: number; position: number }) => void;
  readonly reject: (error: EventStoreError) => void;
}

/** Limits of one transaction, so that no append waits long for others. */
const MAX_APPENDS_PER_BATCH = 2048;
const MAX_BYTES_PER_BATCH = 8 * 1024 * 1024;

const fromSource = import.meta.url.endsWith('.ts');

/** The writer, for the main thread. All appends requested while a batch is being written form the next batch. */
export class WriterThread {
  readonly #worker: Worker;
  readonly #ready = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  #waiting: WaitingAppend[] = [];
  #inFlight: readonly WaitingAppend[] = [];
  /** Why nothing is written any more. */
  #over: EventStoreError | undefined;
  /** Since the last append found a full disk, until one is written. */
  #full: StoreFull | undefined;
  #written: () => void = () => {};
  #drained: (() => void) | undefined;

  static async start(settings: WriterSettings): Promise<WriterThread> {
    const thread = new WriterThread(settings);
    await thread.#ready.promise;
    return thread;
  }

  constructor(settings: WriterSettings) {
    this.#worker = new Worker(new URL(`./writer.${fromSource ? 'ts' : 'js'}`, import.meta.url), {
      workerData: settings,
      execArgv: fromSource ? ['--conditions=source', '--no-warnings'] : [],
      resourceLimits: { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 96 },
    });
    this.#worker.on('message', (reply: WriterReply) => this.#receive(reply));
    this.#worker.on('error', (error) => this.#break(`the writer failed: ${error.message}`, error));
    this.#worker.on('exit', () => {
      this.#break('the writer has ended');
      this.#ended.resolve();
    });
  }

  /** Why the last append failed, if none was written since. */
  get failure(): EventStoreError | undefined {
    return this.#over ?? this.#full;
  }

  onWritten(callback: () => void): void {
    this.#written = callback;
  }

  append(append: AppendToWrite) {
    return new Promise<{ revision: number; position: number }>((resolve, reject) => {
      if (this.#over) {
        reject(this.#over);
        return;
      }
      this.#waiting.push({ ...append, resolve, reject });
      // Appends of the same turn go into the same batch.
      if (this.#waiting.length === 1 && this.#inFlight.length === 0) setImmediate(() => this.#send());
    });
  }

  /** Waits for earlier appends; refuses later ones. */
  async close(): Promise<void> {
    if (!this.#over && this.#waiting.length + this.#inFlight.length > 0)
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
      });
    this.#over ??= new StoreUnavailable('the event store was closed');
    this.#worker.ref();
    this.#worker.postMessage('close');
    await this.#ended.promise;
  }

  #send(): void {
    if (this.#inFlight.length > 0 || this.#waiting.length === 0) return;
    const { count, bytes } = sizeOfBatch(this.#waiting);
    this.#inFlight = this.#waiting.splice(0, count);
    const batch = pack(this.#inFlight, bytes);
    this.#worker.ref();
    this.#worker.postMessage(batch, [batch.bytes.buffer as ArrayBuffer]);
  }

  #receive(reply: WriterReply): void {
    switch (reply.kind) {
      case 'ready':
        this.#ready.resolve();
        // Without waiting appends the process may end.
        this.#worker.unref();
        return;
      case 'cannot-open':
        this.#ready.reject(new CannotOpenStore(reply.code as 'locked', reply.message));
        return;
      case 'broken':
        this.#break(`the log cannot be written any more: ${reply.message}`);
        return;
      case 'full':
        this.#full = new StoreFull(`the disk is full: ${reply.message}`);
        // Those that wait too, although a smaller one might fit: what is written has no holes in the order of the calls.
        for (const { reject } of [...this.#takeInFlight(), ...this.#waiting.splice(0)]) reject(this.#full);
        break;
      case 'written':
        this.#full = undefined;
        this.#written();
        for (const [index, append] of this.#takeInFlight().entries()) settle(append, reply.replies[index]);
        break;
    }
    this.#goOn();
  }

  #goOn(): void {
    this.#send();
    if (this.#inFlight.length > 0) return;
    this.#worker.unref();
    this.#drained?.();
  }

  #takeInFlight(): readonly WaitingAppend[] {
    const inFlight = this.#inFlight;
    this.#inFlight = [];
    return inFlight;
  }

  #break(message: string, cause?: Error): void {
    const options = cause ? { cause } : {};
    this.#ready.reject(new StoreUnavailable(message, options));
    for (const { reject } of this.#takeInFlight()) reject(new OutcomeUnknown(message, options));
    this.#over ??= new StoreUnavailable(message, options);
    for (const { reject } of this.#waiting.splice(0)) reject(this.#over);
    this.#drained?.();
  }
}

function settle({ stream, expected, resolve, reject }: WaitingAppend, reply: AppendReply | undefined): void {
  if (!reply) reject(new OutcomeUnknown('the writer did not answer this append'));
  else if ('taken' in reply) reject(new EventIdTaken(stream, reply.taken));
  else if ('actual' in reply) reject(new WrongExpectedRevision(stream, expected, reply.actual));
  else resolve(reply);
}

/** How many of the waiting appends make the next batch, and how many bytes their events have. */
function sizeOfBatch(waiting: readonly WaitingAppend[]): { count: number; bytes: number } {
  let bytes = 0;
  let count = 0;
  for (const { events } of waiting) {
    if (count === MAX_APPENDS_PER_BATCH || bytes > MAX_BYTES_PER_BATCH) break;
    for (const { data, metadata } of events) bytes += data.length + metadata.length;
    count += 1;
  }
  return { count, bytes };
}

/** One buffer for all bytes of a batch: it moves to the other thread without a copy. */
function pack(appends: readonly WaitingAppend[], size: number): AppendBatch {
  const bytes = new Uint8Array(size);
  let offset = 0;
  const put = (part: Uint8Array): number => {
    bytes.set(part, offset);
    offset += part.length;
    return part.length;
  };
  const requestOf = ({ stream, expected, idsOnce, events }: WaitingAppend): AppendRequest => {
    const inBatch = ({ id, type, json, data, metadata }: NewEvent) => {
      const dataLength = put(data);
      return { id, type, json, dataLength, metadataLength: put(metadata) };
    };
    return { stream, expected, idsOnce, events: events.map(inBatch) };
  };
  return { appends: appends.map(requestOf), bytes };
}
