import { BadEvent, type EventFilter, type RecordedEvent } from './port.ts';

const MAX_NAMES_IN_FILTER = 1000;

/** @throws BadEvent */
export function checkFilter({ types = [], streamPrefixes = [] }: EventFilter = {}): void {
  if (types.length + streamPrefixes.length > MAX_NAMES_IN_FILTER)
    throw new BadEvent(`a filter names at most ${MAX_NAMES_IN_FILTER} types and prefixes`);
}

export function passes(filter: EventFilter | undefined, { stream, type }: RecordedEvent): boolean {
  const { types, streamPrefixes } = filter ?? {};
  if (types && !types.includes(type)) return false;
  return !streamPrefixes || streamPrefixes.some((prefix) => stream.startsWith(prefix));
}

/** @throws BadEvent */
export function checkCount(name: string, count: number): void {
  if (count !== Number.POSITIVE_INFINITY && (!Number.isSafeInteger(count) || count < 0))
    throw new BadEvent(`${name} must be a whole number of 0 or more, not ${count}`);
}
