import { Worker } from 'node:worker_threads';
import { StoreUnavailable } from '#event-store/port';
import type { KeyBatch, KeyReply } from './key-writer.ts';

interface Waiting {
  readonly order: { added: KeyBatch['added'][number] } | { erased: string };
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

const fromSource = import.meta.url.endsWith('.ts');
const MOST_AT_ONCE = 4096;

/** The key writer as the main thread sees it. Whatever is asked while it writes is written together next. */
export class KeyWriterThread {
  readonly #worker: Worker;
  readonly #ready = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  #waiting: Waiting[] = [];
  #underWay: readonly Waiting[] = [];
  #over: Error | undefined;
  #drained: () => void = () => {};

  static async start(directory: string, durable: boolean): Promise<KeyWriterThread> {
    const thread = new KeyWriterThread(directory, durable);
    await thread.#ready.promise;
    return thread;
  }

  constructor(directory: string, durable: boolean) {
    this.#worker = new Worker(new URL(`./key-writer.${fromSource ? 'ts' : 'js'}`, import.meta.url), {
      workerData: { directory, durable },
      execArgv: fromSource ? ['--conditions=source', '--no-warnings'] : [],
      resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 },
    });
    this.#worker.on('message', (reply: KeyReply) => this.#hear(reply));
    this.#worker.on('error', (error) => this.#end(`the key writer failed: ${error.message}`));
    this.#worker.on('exit', () => {
      this.#end('the key writer has ended');
      this.#ended.resolve();
    });
  }

  /** Resolves when it is on disk. @throws StoreUnavailable: nothing was written */
  write(order: Waiting['order']): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#over) {
        reject(this.#over);
        return;
      }
      this.#waiting.push({ order, resolve, reject });
      if (this.#waiting.length === 1 && this.#underWay.length === 0) setImmediate(() => this.#send());
    });
  }

  async close(): Promise<void> {
    if (!this.#over && this.#waiting.length + this.#underWay.length > 0)
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
      });
    this.#over ??= new StoreUnavailable('the vault was closed');
    this.#worker.ref();
    this.#worker.postMessage('close');
    await this.#ended.promise;
  }

  #send(): void {
    if (this.#underWay.length > 0 || this.#waiting.length === 0) return;
    this.#underWay = this.#waiting.splice(0, MOST_AT_ONCE);
    const orders = this.#underWay.map(({ order }) => order);
    const batch: KeyBatch = {
      added: orders.flatMap((order) => ('added' in order ? [order.added] : [])),
      erased: orders.flatMap((order) => ('erased' in order ? [order.erased] : [])),
    };
    this.#worker.ref();
    this.#worker.postMessage(batch);
  }

  #hear(reply: KeyReply): void {
    if (reply.kind === 'ready') {
      this.#ready.resolve();
      this.#worker.unref();
      return;
    }
    for (const { resolve, reject } of this.#takeUnderWay())
      if (reply.kind === 'written') resolve();
      else reject(new StoreUnavailable(`keys cannot be written: ${reply.message}`));
    this.#send();
    if (this.#underWay.length > 0) return;
    this.#worker.unref();
    this.#drained();
  }

  #takeUnderWay(): readonly Waiting[] {
    const underWay = this.#underWay;
    this.#underWay = [];
    return underWay;
  }

  #end(message: string): void {
    this.#over ??= new StoreUnavailable(message);
    this.#ready.reject(this.#over);
    for (const { reject } of [...this.#takeUnderWay(), ...this.#waiting.splice(0)]) reject(this.#over);
    this.#drained();
  }
}
