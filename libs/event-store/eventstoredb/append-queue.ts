/** Nobody knows whether it arrived. */
export class Lost extends Error {}

export interface Append<Result> {
  /** Sends it once. @throws Lost, or why it was refused */
  send(): Promise<Result>;
  /** Sends it until it is answered. @param sentBefore whether it may be there already */
  insist(sentBefore: boolean): Promise<Result>;
}

interface Job {
  readonly append: Append<unknown>;
  readonly number: number;
  lost: boolean;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** More would only wait on the way, and be taken for lost. */
const MOST_UNDER_WAY = 256;

/**
 * Keeps appends in the order in which they were asked for, with many under way at once. When the connection breaks,
 * those without an answer go again, one after the other, before any newer one: the log has the same order as if nothing
 * had happened. A connection that is new is tried with one append alone, since the client does not keep the order until
 * it stands.
 */
export class AppendQueue {
  #waiting: Job[] = [];
  readonly #underWay = new Set<Job>();
  #oneByOne = true;
  #last = 0;

  add<Result>(append: Append<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#last += 1;
      const job = { append, number: this.#last, lost: false, resolve: resolve as Job['resolve'], reject };
      this.#waiting.push(job);
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#waiting.length > 0) {
      if (this.#underWay.size >= (this.#oneByOne ? 1 : MOST_UNDER_WAY)) return;
      const job = this.#waiting.shift() as Job;
      this.#underWay.add(job);
      void (this.#oneByOne ? this.#insist(job) : this.#send(job));
    }
  }

  async #insist(job: Job): Promise<void> {
    try {
      job.resolve(await job.append.insist(job.lost));
      this.#oneByOne = false;
    } catch (error) {
      job.reject(error);
    }
    this.#underWay.delete(job);
    this.#pump();
  }

  async #send(job: Job): Promise<void> {
    try {
      job.resolve(await job.append.send());
    } catch (error) {
      if (error instanceof Lost) {
        job.lost = true;
        this.#oneByOne = true;
        this.#waiting.push(job);
        this.#waiting.sort((a, b) => a.number - b.number);
      } else job.reject(error);
    }
    this.#underWay.delete(job);
    this.#pump();
  }
}
