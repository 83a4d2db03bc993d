import { randomUUID } from 'node:crypto';
import type { EventStore, NewEvent } from '../port.ts';

const OTHERS = 'invoicing-';

/** Whether a stream of a {@link sharedLog} belongs to those who think that they are alone. */
export const isNotOfOthers = (stream: string): boolean => !stream.startsWith(OTHERS);

/**
 * A log that another program writes to: before each append it adds events that are named like ours and cannot be read.
 * So positions have gaps, as on a server.
 */
export function sharedLog(store: EventStore): EventStore {
  let appends = 0;
  const appending =
    (write: EventStore['append']): EventStore['append'] =>
    (stream, events, expected) => {
      appends += 1;
      const others = Array.from({ length: appends % 4 }, otherEvent);
      // Not awaited: the store keeps the order of the calls.
      const before = others.length > 0 && store.append(`${OTHERS}${appends % 10}`, others, 'any');
      const own = write(stream, events, expected);
      return Promise.all([own, before]).then(([result]) => result);
    };
  return {
    append: appending((...request) => store.append(...request)),
    ...(store.appendAsServer && { appendAsServer: appending(store.appendAsServer.bind(store)) }),
    readStream: (...request: Parameters<EventStore['readStream']>) => store.readStream(...request),
    readAll: (...request: Parameters<EventStore['readAll']>) => store.readAll(...request),
    subscribe: (...request: Parameters<EventStore['subscribe']>) => store.subscribe(...request),
    head: () => store.head(),
    placeAt: (position) => store.placeAt(position),
    identity: () => store.identity(),
    limits: store.limits,
    close: () => store.close(),
  };
}

const otherEvent = (): NewEvent => ({
  id: randomUUID(),
  type: 'OrderPlaced',
  data: Buffer.from('not JSON'),
  metadata: new Uint8Array(),
});
