import type { EventStore } from '../port.ts';

export interface RestorableLog {
  /** What its users have opened. */
  readonly store: EventStore;
  /** Puts another log in its place, as when an older copy is restored: for all calls from now on. */
  restore(copy: EventStore): void;
}

/** A log that is replaced while programs use it. */
export function restorableLog(first: EventStore): RestorableLog {
  let present = first;
  const store: EventStore = {
    append: (...request) => present.append(...request),
    readStream: (...request) => present.readStream(...request),
    readAll: (...request) => present.readAll(...request),
    subscribe: (...request) => present.subscribe(...request),
    head: () => present.head(),
    placeAt: (position) => present.placeAt(position),
    identity: () => first.identity(),
    limits: first.limits,
    close: () => present.close(),
  };
  const restore = (copy: EventStore) => {
    present = copy;
  };
  return { store, restore };
}
