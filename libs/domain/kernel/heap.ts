/** An item of a heap. It knows its index there, so that it can be moved or removed without a search. */
export interface HeapItem {
  /** -1 while the item is in no heap. Written by the heap only. */
  heapIndex: number;
}

/** Where the index of an item is kept when it is not an object; -1 for an item in no heap. */
interface HeapIndexes<Item> {
  get(item: Item): number;
  set(item: Item, index: number): void;
}

/** A heap of objects that keep their own index. */
export const heapOf = <Item extends HeapItem>(compare: (a: Item, b: Item) => number): Heap<Item> =>
  new Heap(compare, {
    get: ({ heapIndex }) => heapIndex,
    set: (item, index) => {
      item.heapIndex = index;
    },
  });

/** A binary heap: the first item by `compare` in O(1), any change in O(log n). */
export class Heap<Item> {
  readonly #items: Item[] = [];
  readonly #compare: (a: Item, b: Item) => number;
  readonly #indexes: HeapIndexes<Item>;

  constructor(compare: (a: Item, b: Item) => number, indexes: HeapIndexes<Item>) {
    this.#compare = compare;
    this.#indexes = indexes;
  }

  get size(): number {
    return this.#items.length;
  }

  first(): Item | undefined {
    return this.#items[0];
  }

  /** Adds an item, or moves one that is already there to its new rank. */
  put(item: Item): void {
    let index = this.#indexes.get(item);
    if (index < 0) {
      index = this.#items.length;
      this.#set(item, index);
    }
    this.#siftDown(item, this.#siftUp(item, index));
  }

  remove(item: Item): void {
    const index = this.#indexes.get(item);
    if (index < 0) return;
    const last = this.#items.pop() as Item;
    this.#indexes.set(item, -1);
    if (last === item) return;
    this.#set(last, index);
    this.#siftDown(last, this.#siftUp(last, index));
  }

  /** @returns the new index of the item */
  #siftUp(item: Item, from: number): number {
    let index = from;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = this.#items[parentIndex] as Item;
      if (this.#compare(item, parent) >= 0) break;
      this.#set(parent, index);
      index = parentIndex;
    }
    if (index !== from) this.#set(item, index);
    return index;
  }

  #siftDown(item: Item, from: number): void {
    let index = from;
    for (let child = this.#smallerChild(index); child > 0; child = this.#smallerChild(index)) {
      const below = this.#items[child] as Item;
      if (this.#compare(below, item) >= 0) break;
      this.#set(below, index);
      index = child;
    }
    if (index !== from) this.#set(item, index);
  }

  /** @returns the index of the child that comes first; 0 where there is none */
  #smallerChild(index: number): number {
    const left = 2 * index + 1;
    const right = left + 1;
    if (left >= this.#items.length) return 0;
    if (right >= this.#items.length) return left;
    return this.#compare(this.#items[right] as Item, this.#items[left] as Item) < 0 ? right : left;
  }

  #set(item: Item, index: number): void {
    this.#items[index] = item;
    this.#indexes.set(item, index);
  }
}
