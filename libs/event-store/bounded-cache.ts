import { LRUCache } from 'lru-cache';

export type BoundedCache<Value extends object | true> = LRUCache<string, Value>;

/**
 * Keeps what was used last, so many entries at most. With `max`, the package takes the memory of all of them at once: a tenth of a
 * second at the start of a program.
 * @param ttl in milliseconds; 0: for ever
 */
export const boundedCache = <Value extends object | true>(most: number, ttl = 0): BoundedCache<Value> =>
  new LRUCache({ maxSize: most, sizeCalculation: () => 1, ttl });
