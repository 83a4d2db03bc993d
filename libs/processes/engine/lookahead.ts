/** Reads a stream one item ahead: the next item is already requested, and one can wait for its arrival without taking it. */
export class Lookahead<Item> {
  readonly #items: AsyncIterator<Item>;
  #upcoming: Promise<IteratorResult<Item>>;

  constructor(items: AsyncIterator<Item>) {
    this.#items = items;
    this.#upcoming = this.#ask();
  }

  /** Settles when the next item has arrived, or the stream has ended or failed. */
  get upcoming(): Promise<unknown> {
    return this.#upcoming;
  }

  /** @returns undefined when the stream has ended */
  async next(): Promise<Item | undefined> {
    const { done, value } = await this.#upcoming;
    if (done) return undefined;
    this.#upcoming = this.#ask();
    return value;
  }

  /** It may fail while nobody waits for it: whoever takes the item gets the error all the same. */
  #ask(): Promise<IteratorResult<Item>> {
    const asked = this.#items.next();
    asked.catch(() => {});
    return asked;
  }

  async close(): Promise<void> {
    await this.#items.return?.();
  }
}
