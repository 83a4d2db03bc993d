import { EventStoreError } from '../port.ts';

/** It is not known whether the append arrived. Never leaves the queue. */
export class NoAnswer extends EventStoreError {
  constructor(options?: ErrorOptions) {
    super('no-answer', 'the server did not answer', options);
  }
}

interface QueuedAppend<Result> {
  /** It leaves the queue at this time, as `performance.now()` counts. */
  readonly until: number;
  /** Why it left the queue. @param sentBefore whether it may have been written */
  expired(sentBefore: boolean): Error;
  /** Sends it once. @throws NoAnswer, or why it was refused */
  send(): Promise<Result>;
  /**
   * Repeats it until it is answered. @param sentBefore whether it may have been written already
   * @returns also the connection over which it was sent; undefined if it had been written already
   */
  sendUntilAnswered(sentBefore: boolean): Promise<{ result: Result; over: object | undefined }>;
}

interface Job {
  readonly append: QueuedAppend<unknown>;
  readonly number: number;
  sentBefore: boolean;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** More would only wait in the connection, and time out. */
const MAX_IN_FLIGHT = 256;
const EXPIRY_EVERY_MILLISECONDS = 100;

/**
 * Keeps appends in the order in which they were requested, with many in flight at once. When the connection breaks,
 * appends without an answer are sent again, one at a time, before any newer one: the log has the same order as without
 * the break. The first append on a new connection is sent alone, because the client does not keep the order before it
 * is connected.
 */
export class AppendQueue {
  #waiting: Job[] = [];
  readonly #inFlight = new Set<Job>();
  readonly #connection: () => object;
  /** The connection over which an append was answered. */
  #proven: object | undefined;
  #last = 0;
  #expiry: NodeJS.Timeout | undefined;

  /** @param connection the one over which appends are sent now */
  constructor(connection: () => object) {
    this.#connection = connection;
  }

  get #oneByOne(): boolean {
    return this.#proven !== this.#connection();
  }

  add<Result>(append: QueuedAppend<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#last += 1;
      const job = { append, number: this.#last, sentBefore: false, resolve: resolve as Job['resolve'], reject };
      this.#waiting.push(job);
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#waiting.length > 0) {
      if (this.#inFlight.size >= (this.#oneByOne ? 1 : MAX_IN_FLIGHT)) {
        this.#expireInTime();
        return;
      }
      const job = this.#waiting.shift() as Job;
      if (this.#oneByOne && job.append.until <= performance.now()) {
        job.reject(job.append.expired(job.sentBefore));
        continue;
      }
      this.#inFlight.add(job);
      void (this.#oneByOne ? this.#sendUntilAnswered(job) : this.#send(job));
    }
  }

  /** What waits longer than its caller leaves the queue. */
  #expireInTime(): void {
    this.#expiry ??= setTimeout(() => {
      this.#expiry = undefined;
      const now = performance.now();
      const expired = this.#waiting.filter(({ append }) => append.until <= now);
      this.#waiting = this.#waiting.filter(({ append }) => append.until > now);
      for (const { append, sentBefore, reject } of expired) reject(append.expired(sentBefore));
      if (this.#waiting.length > 0) this.#expireInTime();
    }, EXPIRY_EVERY_MILLISECONDS).unref();
  }

  async #sendUntilAnswered(job: Job): Promise<void> {
    try {
      const { result, over } = await job.append.sendUntilAnswered(job.sentBefore);
      job.resolve(result);
      this.#proven = over;
    } catch (error) {
      job.reject(error);
    }
    this.#inFlight.delete(job);
    this.#pump();
  }

  async #send(job: Job): Promise<void> {
    try {
      job.resolve(await job.append.send());
    } catch (error) {
      if (error instanceof NoAnswer) this.#sendAgain(job);
      else job.reject(error);
    }
    this.#inFlight.delete(job);
    this.#pump();
  }

  #sendAgain(job: Job): void {
    job.sentBefore = true;
    this.#proven = undefined;
    this.#waiting.push(job);
    this.#waiting.sort((a, b) => a.number - b.number);
  }
}
