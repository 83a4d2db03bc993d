import { encode } from '#domain/codec';
import { deriveId } from '#domain/kernel/ids';
import type { AppendResult, EventStore } from '#event-store/port';
import type { Process } from '#processes/process';
import { businessOf } from './boxes.ts';

/** A process that moves every new customer to UTC. */
export const toUtc = (name: string): Process<string[], 'CustomerRegistered'> => ({
  name,
  eventTypes: ['CustomerRegistered'],
  initialState: () => [],
  evolve: (streams, { stream }) => void streams.push(stream),
  next: (streams) =>
    streams.splice(0).map((stream) => ({
      commandId: deriveId('to-utc', stream),
      stream: stream as 'customer-1',
      command: { type: 'ChangeTimeZone', timeZone: 'UTC' },
    })),
});

/** Registers a customer as the ledger would. The same stream gives the same event. */
export function register(store: EventStore, stream: string): Promise<AppendResult> {
  const id = deriveId('register', stream);
  const cause = { commandId: id, correlationId: id, actor: 'spec' };
  const data = { at: '2026-05-01T10:00:00.000Z', storeId: 'main', ...businessOf(stream), timeZone: 'America/New_York' };
  const event = encode(stream, { type: 'CustomerRegistered', data }, cause);
  return store.append(stream, [{ id, ...event }], 'no-stream');
}
