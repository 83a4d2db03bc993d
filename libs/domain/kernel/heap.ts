/** What a heap keeps in order. It notes its place there itself, so that it can be moved or taken out at once. */
export interface Placed {
  /** -1 while it is in no heap. Written by the heap only. */
  place: number;
}

/** A binary heap: the first item by `compare` in O(1), any change in O(log n). */
export class Heap<Item extends Placed> {
  readonly #items: Item[] = [];
  readonly #compare: (a: Item, b: Item) => number;

  constructor(compare: (a: Item, b: Item) => number) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#items.length;
  }

  first(): Item | undefined {
    return this.#items[0];
  }

  /** Adds an item, or moves one that is in already to where it now belongs. */
  put(item: Item): void {
    if (item.place < 0) {
      item.place = this.#items.length;
      this.#items.push(item);
    }
    this.#down(this.#up(item));
  }

  remove(item: Item): void {
    const { place } = item;
    if (place < 0) return;
    const last = this.#items.pop() as Item;
    item.place = -1;
    if (last === item) return;
    this.#set(last, place);
    this.#down(this.#up(last));
  }

  #up(item: Item): Item {
    while (item.place > 0) {
      const parent = this.#items[(item.place - 1) >> 1] as Item;
      if (this.#compare(item, parent) >= 0) break;
      this.#swap(item, parent);
    }
    return item;
  }

  #down(item: Item): void {
    for (;;) {
      const left = this.#items[2 * item.place + 1];
      const right = this.#items[2 * item.place + 2];
      if (!left) return;
      const child = right && this.#compare(right, left) < 0 ? right : left;
      if (this.#compare(child, item) >= 0) return;
      this.#swap(item, child);
    }
  }

  #swap(a: Item, b: Item): void {
    const place = a.place;
    this.#set(a, b.place);
    this.#set(b, place);
  }

  #set(item: Item, place: number): void {
    this.#items[place] = item;
    item.place = place;
  }
}
