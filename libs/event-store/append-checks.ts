import { AppendTooLarge, BadEvent, type ExpectedRevision, type NewEvent, type StoreLimits } from './port.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Refuses what no store would accept, before a store is asked. @throws BadEvent, AppendTooLarge */
export function checkAppend(
  stream: string,
  events: readonly NewEvent[],
  expected: ExpectedRevision,
  limits: StoreLimits,
): void {
  checkName('stream', stream, limits);
  checkExpected(expected);
  checkEvents(events, limits);
}

function checkExpected(expected: ExpectedRevision): void {
  if (typeof expected === 'number' && (!Number.isSafeInteger(expected) || expected < 0))
    throw new BadEvent(`${expected} is not a revision`);
}

function checkEvents(events: readonly NewEvent[], limits: StoreLimits): void {
  if (events.length === 0) throw new BadEvent('an append has at least one event');
  if (events.length > limits.maxAppendEvents)
    throw new AppendTooLarge(`an append has at most ${limits.maxAppendEvents} events, not ${events.length}`);
  const ids = new Set<string>();
  let bytes = 0;
  for (const { id, type, data, metadata } of events) {
    if (!UUID.test(id)) throw new BadEvent(`event id "${id}" is not a UUID in lower case`);
    if (ids.has(id)) throw new BadEvent(`event id ${id} occurs twice in one append`);
    ids.add(id);
    checkName('event type', type, limits);
    bytes += data.length + metadata.length;
  }
  if (bytes > limits.maxAppendBytes)
    throw new AppendTooLarge(`an append has at most ${limits.maxAppendBytes} bytes, not ${bytes}`);
}

function checkName(what: string, name: string, { maxNameLength }: StoreLimits): void {
  if (name === '' || name.length > maxNameLength)
    throw new BadEvent(`a ${what} has 1 to ${maxNameLength} characters, not ${name.length}`);
  if (name.startsWith('$'))
    throw new BadEvent(`a ${what} must not begin with $: such names are reserved for the server`);
  if (!name.isWellFormed() || name.includes('\0'))
    throw new BadEvent(`a ${what} must be well-formed Unicode without NUL`);
}
