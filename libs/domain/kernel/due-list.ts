import type { Instant } from './events.ts';
import { type HeapItem, heapOf } from './heap.ts';
import { compareText } from './text.ts';

interface Entry<Item> extends HeapItem {
  readonly key: string;
  readonly item: Item;
  readonly dueAt: Instant;
}

/**
 * Items by key. Each is due at an instant, or not scheduled. Items due at the same instant are ordered by key: the order
 * does not depend on the history of the list, so it is the same after a restart. Any change costs O(log n).
 */
export class DueList<Item> {
  readonly #entries = new Map<string, Entry<Item>>();
  readonly #scheduled = heapOf<Entry<Item>>((a, b) => compareText(a.dueAt, b.dueAt) || compareText(a.key, b.key));

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): Item | undefined {
    return this.#entries.get(key)?.item;
  }

  items(): Item[] {
    return Array.from(this.#entries.values(), ({ item }) => item);
  }

  /** Adds an item, or replaces the one with the same key. Without `dueAt` the item stays until it is put again or removed. */
  put(key: string, item: Item, dueAt?: Instant): void {
    const former = this.#entries.get(key);
    if (former) this.#scheduled.remove(former);
    const entry = { key, item, dueAt: dueAt ?? '', heapIndex: -1 };
    this.#entries.set(key, entry);
    if (dueAt !== undefined) this.#scheduled.put(entry);
  }

  remove(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#scheduled.remove(entry);
  }

  /** Removes the items that are due at this instant and returns them: those due first come first, at most `limit`. */
  take(now: Instant, limit: number): Item[] {
    const taken: Item[] = [];
    for (let first = this.#scheduled.first(); first && first.dueAt <= now; first = this.#scheduled.first()) {
      if (taken.length >= limit) break;
      this.remove(first.key);
      taken.push(first.item);
    }
    return taken;
  }

  /** When the next item is due; undefined when none is scheduled. */
  nextDueAt(): Instant | undefined {
    return this.#scheduled.first()?.dueAt;
  }
}
