// Appends changes of orders to an event store at a rate, in a process of its own: what it measures is the store's, not the caller's.
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { encode } from '#domain/codec';
import { openEventStoreDb } from '#event-store/eventstoredb/eventstoredb-store';

export interface AppendOrder {
  readonly orderIds: readonly string[];
  readonly rate: number;
  readonly seconds: number;
}

const [url] = process.argv.slice(2);
const store = await openEventStoreDb({ connectionString: url as string });
let appends = 0;

async function appendOne(orderIds: readonly string[]): Promise<number> {
  const start = performance.now();
  const stream = `order-${orderIds[appends % orderIds.length]}`;
  appends += 1;
  const cause = { commandId: randomUUID(), correlationId: randomUUID(), actor: 'staff:bench' };
  const data = { at: new Date().toISOString(), dailyMaximum: 5 };
  const event = { id: randomUUID(), ...encode(stream, { type: 'DailyMaximumChanged', data }, cause) };
  await store.append(stream, [event], 'any').catch((error: unknown) => console.error(String(error)));
  return performance.now() - start;
}

process.on('message', async ({ orderIds, rate, seconds }: AppendOrder) => {
  const start = performance.now();
  const underWay: Promise<number>[] = [];
  for (let sent = 0; sent < rate * seconds; sent += 1) {
    const due = start + (sent * 1000) / rate;
    if (due > performance.now()) await wait(due - performance.now());
    underWay.push(appendOne(orderIds));
  }
  process.send?.(await Promise.all(underWay));
});
process.once('disconnect', () => process.exit(0));
process.send?.('ready');
