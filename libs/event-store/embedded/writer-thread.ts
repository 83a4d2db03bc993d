import { Worker } from 'node:worker_threads';
import {
  CannotOpenStore,
  EventStoreError,
  type ExpectedRevision,
  type NewEvent,
  OutcomeUnknown,
  StoreFull,
  StoreUnavailable,
  WrongExpectedRevision,
} from '../port.ts';
import type { WriterSettings } from './database.ts';
import type { AppendOrder, Batch, WriterMessage } from './writer.ts';

interface Waiting {
  readonly stream: string;
  readonly events: readonly NewEvent[];
  readonly expected: ExpectedRevision;
  readonly resolve: (result: { revision: number; position: number }) => void;
  readonly reject: (error: EventStoreError) => void;
}

/** The most that is written in one transaction, so that nobody waits long for others. */
const MOST_APPENDS_AT_ONCE = 2048;
const MOST_BYTES_AT_ONCE = 8 * 1024 * 1024;

const fromSource = import.meta.url.endsWith('.ts');

/** The writer as the main thread sees it: whatever is asked while a batch is being written makes up the next one. */
export class WriterThread {
  readonly #worker: Worker;
  readonly #ready = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  #waiting: Waiting[] = [];
  #underWay: readonly Waiting[] = [];
  /** Why nothing is written any more. */
  #over: EventStoreError | undefined;
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
    this.#worker.on('message', (message: WriterMessage) => this.#hear(message));
    this.#worker.on('error', (error) => this.#break(`the writer failed: ${error.message}`, error));
    this.#worker.on('exit', () => {
      this.#break('the writer has ended');
      this.#ended.resolve();
    });
  }

  onWritten(callback: () => void): void {
    this.#written = callback;
  }

  append(stream: string, events: readonly NewEvent[], expected: ExpectedRevision) {
    return new Promise<{ revision: number; position: number }>((resolve, reject) => {
      if (this.#over) {
        reject(this.#over);
        return;
      }
      this.#waiting.push({ stream, events, expected, resolve, reject });
      // The others of this turn come along.
      if (this.#waiting.length === 1 && this.#underWay.length === 0) setImmediate(() => this.#send());
    });
  }

  /** Waits for what was asked before; refuses what comes after. */
  async close(): Promise<void> {
    if (!this.#over && this.#waiting.length + this.#underWay.length > 0)
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
      });
    this.#over ??= new StoreUnavailable('the event store was closed');
    this.#worker.ref();
    this.#worker.postMessage('close');
    await this.#ended.promise;
  }

  #send(): void {
    if (this.#underWay.length > 0 || this.#waiting.length === 0) return;
    let bytes = 0;
    let count = 0;
    for (const { events } of this.#waiting) {
      if (count === MOST_APPENDS_AT_ONCE || bytes > MOST_BYTES_AT_ONCE) break;
      for (const { data, metadata } of events) bytes += data.length + metadata.length;
      count += 1;
    }
    this.#underWay = this.#waiting.splice(0, count);
    const batch = pack(this.#underWay, bytes);
    this.#worker.ref();
    this.#worker.postMessage(batch, [batch.bytes.buffer as ArrayBuffer]);
  }

  #hear(message: WriterMessage): void {
    switch (message.kind) {
      case 'ready':
        this.#ready.resolve();
        // The process may end while nobody waits for an append.
        this.#worker.unref();
        return;
      case 'cannot-open':
        this.#ready.reject(new CannotOpenStore(message.code as 'locked', message.message));
        return;
      case 'broken':
        this.#break(`the log cannot be written any more: ${message.message}`);
        return;
      case 'full':
        for (const { reject } of this.#takeUnderWay()) reject(new StoreFull(`the disk is full: ${message.message}`));
        break;
      case 'written': {
        this.#written();
        for (const [index, waiting] of this.#takeUnderWay().entries()) {
          const reply = message.replies[index] as (typeof message.replies)[number];
          if ('actual' in reply)
            waiting.reject(new WrongExpectedRevision(waiting.stream, waiting.expected, reply.actual));
          else waiting.resolve(reply);
        }
        break;
      }
    }
    this.#send();
    if (this.#underWay.length > 0) return;
    this.#worker.unref();
    this.#drained?.();
  }

  #takeUnderWay(): readonly Waiting[] {
    const underWay = this.#underWay;
    this.#underWay = [];
    return underWay;
  }

  #break(message: string, cause?: Error): void {
    const options = cause ? { cause } : {};
    this.#ready.reject(new StoreUnavailable(message, options));
    for (const { reject } of this.#takeUnderWay()) reject(new OutcomeUnknown(message, options));
    this.#over ??= new StoreUnavailable(message, options);
    for (const { reject } of this.#waiting.splice(0)) reject(this.#over);
    this.#drained?.();
  }
}

/** One buffer for all bytes of a batch: it changes threads without being copied. */
function pack(appends: readonly Waiting[], size: number): Batch {
  const bytes = new Uint8Array(size);
  let offset = 0;
  const put = (part: Uint8Array): number => {
    bytes.set(part, offset);
    offset += part.length;
    return part.length;
  };
  const orders = appends.map(
    ({ stream, expected, events }): AppendOrder => ({
      stream,
      expected,
      events: events.map(({ id, type, data, metadata }) => ({
        id,
        type,
        dataLength: put(data),
        metadataLength: put(metadata),
      })),
    }),
  );
  return { appends: orders, bytes };
}
