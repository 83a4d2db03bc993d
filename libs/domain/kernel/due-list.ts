import type { Instant } from './events.ts';
import { type HeapItem, heapOf } from './heap.ts';

interface Entry<Item> extends HeapItem {
  readonly key: string;
  readonly item: Item;
  readonly dueAt: Instant;
}

/** Items by key, each due at an instant. Any change costs O(log n). */
export class DueList<Item> {
  readonly #entries = new Map<string, Entry<Item>>();
  readonly #byDueDate = heapOf<Entry<Item>>((a, b) => (a.dueAt < b.dueAt ? -1 : a.dueAt > b.dueAt ? 1 : 0));

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): Item | undefined {
    return this.#entries.get(key)?.item;
  }

  /** Adds an item, or replaces the one with the same key. */
  put(key: string, item: Item, dueAt: Instant): void {
    const former = this.#entries.get(key);
    if (former) this.#byDueDate.remove(former);
    const entry = { key, item, dueAt, heapIndex: -1 };
    this.#entries.set(key, entry);
    this.#byDueDate.put(entry);
  }

  remove(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#byDueDate.remove(entry);
  }

  /** Removes the items that are due at this instant and returns them: those due first come first, at most `limit`. */
  take(now: Instant, limit: number): Item[] {
    const taken: Item[] = [];
    for (let first = this.#byDueDate.first(); first && first.dueAt <= now; first = this.#byDueDate.first()) {
      if (taken.length >= limit) break;
      this.remove(first.key);
      taken.push(first.item);
    }
    return taken;
  }

  /** When the next item is due; undefined when the list is empty. */
  nextDueAt(): Instant | undefined {
    return this.#byDueDate.first()?.dueAt;
  }
}
