import { Worker } from 'node:worker_threads';
import { StoreFull, StoreUnavailable } from '#event-store/port';
import type { KeyBatch, KeyWriterReply, KeyWriterSettings } from './key-writer.ts';

type KeyRequest = Partial<KeyBatch>;
type Written = Extract<KeyWriterReply, { kind: 'written' }>;

interface WaitingRequest {
  readonly request: KeyRequest;
  readonly resolve: (reply: Written) => void;
  readonly reject: (error: Error) => void;
}

const fromSource = import.meta.url.endsWith('.ts');
const MAX_REQUESTS_PER_BATCH = 4096;

/** The key writer, for the main thread. All requests that arrive while it writes form the next batch. */
export class KeyWriterThread {
  readonly #worker: Worker;
  readonly #ready = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  #waiting: WaitingRequest[] = [];
  #inFlight: readonly WaitingRequest[] = [];
  #over: Error | undefined;
  #drained: () => void = () => {};

  static async start(settings: KeyWriterSettings): Promise<KeyWriterThread> {
    const thread = new KeyWriterThread(settings);
    await thread.#ready.promise;
    return thread;
  }

  constructor(settings: KeyWriterSettings) {
    this.#worker = new Worker(new URL(`./key-writer.${fromSource ? 'ts' : 'js'}`, import.meta.url), {
      workerData: settings,
      execArgv: fromSource ? ['--conditions=source', '--no-warnings'] : [],
      resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 },
    });
    this.#worker.on('message', (reply: KeyWriterReply) => this.#receive(reply));
    this.#worker.on('error', (error) => this.#end(`the key writer failed: ${error.message}`));
    this.#worker.on('exit', () => {
      this.#end('the key writer has ended');
      this.#ended.resolve();
    });
  }

  /** Resolves when it is on disk. @throws StoreFull, StoreUnavailable: nothing was written */
  write(request: KeyRequest): Promise<Written> {
    return new Promise((resolve, reject) => {
      if (this.#over) {
        reject(this.#over);
        return;
      }
      this.#waiting.push({ request, resolve, reject });
      if (this.#waiting.length === 1 && this.#inFlight.length === 0) setImmediate(() => this.#send());
    });
  }

  async close(): Promise<void> {
    if (!this.#over && this.#waiting.length + this.#inFlight.length > 0)
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
      });
    this.#over ??= new StoreUnavailable('the vault was closed');
    this.#worker.ref();
    this.#worker.postMessage('close');
    await this.#ended.promise;
  }

  #send(): void {
    if (this.#inFlight.length > 0 || this.#waiting.length === 0) return;
    this.#inFlight = this.#waiting.splice(0, MAX_REQUESTS_PER_BATCH);
    const requests = this.#inFlight.map(({ request }) => request);
    const batch: KeyBatch = {
      added: requests.flatMap(({ added = [] }) => added),
      erased: requests.flatMap(({ erased = [] }) => erased),
      clears: requests.some(({ clears }) => clears),
    };
    this.#worker.ref();
    this.#worker.postMessage(batch);
  }

  #receive(reply: KeyWriterReply): void {
    if (reply.kind === 'ready') {
      this.#ready.resolve();
      this.#worker.unref();
      return;
    }
    for (const { resolve, reject } of this.#takeInFlight())
      if (reply.kind === 'written') resolve(reply);
      else reject(failureOf(reply));
    this.#send();
    if (this.#inFlight.length > 0) return;
    this.#worker.unref();
    this.#drained();
  }

  #takeInFlight(): readonly WaitingRequest[] {
    const inFlight = this.#inFlight;
    this.#inFlight = [];
    return inFlight;
  }

  #end(message: string): void {
    this.#over ??= new StoreUnavailable(message);
    this.#ready.reject(this.#over);
    for (const { reject } of [...this.#takeInFlight(), ...this.#waiting.splice(0)]) reject(this.#over);
    this.#drained();
  }
}

const failureOf = ({ kind, message }: Extract<KeyWriterReply, { message: string }>): StoreFull | StoreUnavailable =>
  kind === 'full'
    ? new StoreFull(`the disk of the keys is full: ${message}`)
    : new StoreUnavailable(`keys cannot be written: ${message}`);
