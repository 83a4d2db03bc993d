import type { Instant } from './events.ts';
import { type HeapItem, heapOf } from './heap.ts';
import { addSeconds } from './instants.ts';
import { compareText } from './text.ts';

interface Entry<Item> extends HeapItem {
  readonly key: string;
  readonly item: Item;
  readonly dueAt: Instant;
  readonly notedAt: Instant;
}

/** Clocks of one store differ by less. */
export const CLOCKS_AGREE_SECONDS = 60;

/**
 * Items by key. Each is due at an instant, or not scheduled. Items due at the same instant are ordered by key: the order
 * does not depend on the history of the list, so it is the same after a restart. Any change costs O(log n).
 */
export class DueList<Item> {
  readonly #entries = new Map<string, Entry<Item>>();
  readonly #scheduled = heapOf<Entry<Item>>((a, b) => compareText(a.dueAt, b.dueAt) || compareText(a.key, b.key));

  /** The latest instant at which a present item was noted, or a later one. */
  #notedLast: Instant = '';

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): Item | undefined {
    return this.#entries.get(key)?.item;
  }

  items(): Item[] {
    return Array.from(this.#entries.values(), ({ item }) => item);
  }

  /**
   * Adds an item, or replaces the one with the same key. Without `dueAt` the item stays until it is put again or removed.
   * @param notedAt when that was decided, by a clock that may have been ahead: what was decided in the future is due now
   */
  put(key: string, item: Item, dueAt?: Instant, notedAt: Instant = ''): void {
    const former = this.#entries.get(key);
    if (former) this.#scheduled.remove(former);
    const entry = { key, item, dueAt: dueAt ?? '', notedAt, heapIndex: -1 };
    this.#entries.set(key, entry);
    if (dueAt === undefined) return;
    this.#scheduled.put(entry);
    if (notedAt > this.#notedLast) this.#notedLast = notedAt;
  }

  remove(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#scheduled.remove(entry);
  }

  /** Removes the items that are due at this instant and returns them: those due first come first, at most `limit`. */
  take(now: Instant, limit: number): Item[] {
    this.#hasten(now);
    const taken: Item[] = [];
    for (let first = this.#scheduled.first(); first && first.dueAt <= now; first = this.#scheduled.first()) {
      if (taken.length >= limit) break;
      this.remove(first.key);
      taken.push(first.item);
    }
    return taken;
  }

  /** Only after a clock that was ahead was put right is there anything to look for. */
  #hasten(now: Instant): void {
    const future = addSeconds(now, CLOCKS_AGREE_SECONDS);
    if (this.#notedLast <= future) return;
    this.#notedLast = '';
    for (const { key, item, dueAt, notedAt } of [...this.#entries.values()])
      if (dueAt !== '' && notedAt > future) this.put(key, item, now);
  }

  /** When the next item is due; undefined when none is scheduled. */
  nextDueAt(): Instant | undefined {
    return this.#scheduled.first()?.dueAt;
  }
}
