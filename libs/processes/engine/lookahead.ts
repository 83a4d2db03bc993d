/** Reads a stream one item ahead: the next item is already requested, and one can wait for its arrival without taking it. */
export class Lookahead<Item> {
  readonly #items: AsyncIterator<Item>;
  #upcoming: Promise<IteratorResult<Item>>;

  constructor(items: AsyncIterator<Item>) {
    this.#items = items;
    this.#upcoming = items.next();
  }

  /** Settles when the next item has arrived, or the stream has ended or failed. */
  get upcoming(): Promise<unknown> {
    return this.#upcoming;
  }

  /** @returns undefined when the stream has ended */
  async next(): Promise<Item | undefined> {
    const { done, value } = await this.#upcoming;
    if (done) return undefined;
    this.#upcoming = this.#items.next();
    return value;
  }

  async close(): Promise<void> {
    this.#upcoming.catch(() => {});
    await this.#items.return?.();
  }
}
