/** What a heap keeps in order. It notes its place there itself, so that it can be moved or taken out at once. */
export interface Placed {
  /** -1 while it is in no heap. Written by the heap only. */
  place: number;
}

/** Where it is noted at which place of the heap an item is; -1 for in no heap. */
export interface Places<Item> {
  of(item: Item): number;
  note(item: Item, place: number): void;
}

/** A heap of things that note their place themselves. */
export const heapOf = <Item extends Placed>(compare: (a: Item, b: Item) => number): Heap<Item> =>
  new Heap(compare, {
    of: ({ place }) => place,
    note: (item, place) => {
      item.place = place;
    },
  });

/** A binary heap: the first item by `compare` in O(1), any change in O(log n). */
export class Heap<Item> {
  readonly #items: Item[] = [];
  readonly #compare: (a: Item, b: Item) => number;
  readonly #places: Places<Item>;

  constructor(compare: (a: Item, b: Item) => number, places: Places<Item>) {
    this.#compare = compare;
    this.#places = places;
  }

  get size(): number {
    return this.#items.length;
  }

  first(): Item | undefined {
    return this.#items[0];
  }

  /** Adds an item, or moves one that is in already to where it now belongs. */
  put(item: Item): void {
    let place = this.#places.of(item);
    if (place < 0) {
      place = this.#items.length;
      this.#set(item, place);
    }
    this.#down(item, this.#up(item, place));
  }

  remove(item: Item): void {
    const place = this.#places.of(item);
    if (place < 0) return;
    const last = this.#items.pop() as Item;
    this.#places.note(item, -1);
    if (last === item) return;
    this.#set(last, place);
    this.#down(last, this.#up(last, place));
  }

  /** @returns where it stands then */
  #up(item: Item, from: number): number {
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = this.#items[above] as Item;
      if (this.#compare(item, parent) >= 0) break;
      this.#set(parent, place);
      place = above;
    }
    if (place !== from) this.#set(item, place);
    return place;
  }

  #down(item: Item, from: number): void {
    let place = from;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= this.#items.length) break;
      if (
        below + 1 < this.#items.length &&
        this.#compare(this.#items[below + 1] as Item, this.#items[below] as Item) < 0
      )
        below += 1;
      const child = this.#items[below] as Item;
      if (this.#compare(child, item) >= 0) break;
      this.#set(child, place);
      place = below;
    }
    if (place !== from) this.#set(item, place);
  }

  #set(item: Item, place: number): void {
    this.#items[place] = item;
    this.#places.note(item, place);
  }
}
