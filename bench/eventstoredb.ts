// Compares the adapter on the wire node with the plain client on a server that does nothing; then reads, subscriptions and catch-up.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventStoreDBClient, jsonEvent, NO_STREAM } from '@eventstore/db-client';
import { deriveId } from '#domain/kernel/ids';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import { openEventStoreDb } from '#event-store/eventstoredb/eventstoredb-store';
import { BEFORE_FIRST, type EventStore, type NewEvent } from '#event-store/port';
import { inParallel, median, perSecond, seconds } from './shop.ts';

const [behind = '1000000'] = process.argv.slice(2);
const ROUNDS = 5;
const APPENDS = 8_000;
const CALLERS = 64;

const directory = mkdtempSync(join(tmpdir(), 'leadger-bench-'));
const data = { at: '2026-01-01T00:00:00.000Z', filling: 'x'.repeat(300) };
const metadata = { actor: 'bench', commandId: 'x'.repeat(36) };
const event = (name: string, number: number): NewEvent => ({
  id: deriveId(name, String(number)),
  type: 'BenchEvent',
  data: Buffer.from(JSON.stringify(data)),
  metadata: Buffer.from(JSON.stringify(metadata)),
});

async function server(...parameters: string[]): Promise<{ url: string; process: ChildProcess }> {
  const process = fork(join(import.meta.dirname, 'wire-server.ts'), parameters, { execArgv: ['--conditions=source'] });
  const [url] = await once(process, 'message');
  return { url, process };
}

/** Concurrent callers. Each appends one event after the other to its own stream. */
const append = (appendOne: (stream: string, revision: number) => Promise<unknown>, name: string) =>
  seconds(() =>
    inParallel(CALLERS, CALLERS, async (caller) => {
      for (let revision = 0; revision < APPENDS / CALLERS; revision += 1)
        await appendOne(`${name}-${caller}`, revision);
    }),
  );

const stub = await server('stub');
const nodes = [await server('node'), await server('node', join(directory, 'appended'))];
const client = EventStoreDBClient.connectionString(stub.url);
const adapters = await Promise.all(nodes.map(({ url }) => openEventStoreDb({ connectionString: url })));
const rates = { client: [] as number[], adapters: nodes.map((): number[] => []) };
for (let round = 0; round <= ROUNDS; round += 1) {
  const plain = await append((stream, revision) => {
    const theirs = jsonEvent({ id: deriveId(stream, String(revision)), type: 'BenchEvent', data, metadata });
    const expectedRevision = revision === 0 ? NO_STREAM : BigInt(revision - 1);
    return client.appendToStream(stream, theirs, { expectedRevision });
  }, `client${round}`);
  // The first round warms everything up.
  if (round > 0) rates.client.push(APPENDS / plain);
  for (const [index, adapter] of adapters.entries()) {
    const ours = await append(
      (stream, revision) =>
        adapter.append(stream, [event(stream, revision)], revision === 0 ? 'no-stream' : revision - 1),
      `adapter${round}`,
    );
    if (round > 0) rates.adapters[index]?.push(APPENDS / ours);
  }
}
const plain = median(rates.client);
console.log(`appends, ${CALLERS} callers: client on a server that does nothing ${perSecond(plain)}`);
for (const [index, kept] of ['in memory', 'on disk, durable'].entries()) {
  const ours = median(rates.adapters[index] as number[]);
  console.log(`  adapter on the wire node, ${kept}: ${perSecond(ours)}, ${((100 * ours) / plain).toFixed(0)} %`);
}
await client.dispose();
for (const adapter of adapters) await adapter.close();
for (const { process } of [stub, ...nodes]) process.disconnect();

const count = Number(behind);
const filled = await openEmbeddedStore({ directory: join(directory, 'filled') });
const AT_ONCE = 500;
await inParallel(count / AT_ONCE, 8, async (number) => {
  const events = Array.from({ length: AT_ONCE }, (_, index) => event(`filled-${number}`, index));
  await filled.append(`filled-${number}`, events, 'no-stream');
});
await filled.close();
const full = await server('node', join(directory, 'filled'));
const reader = await openEventStoreDb({ connectionString: full.url });
const readAll = async (store: EventStore, most: number) => {
  let events = 0;
  for await (const _ of store.readAll({ maxCount: most })) events += 1;
  return events;
};
const reads: number[] = [];
for (let round = 0; round < 3; round += 1) {
  const most = Math.min(count, 150_000);
  reads.push(most / (await seconds(() => readAll(reader, most))));
}
console.log(`read: ${perSecond(median(reads))}`);

globalThis.gc?.();
const before = process.memoryUsage().rss;
let highest = before;
let followed = 0;
const following = await seconds(async () => {
  for await (const message of reader.subscribe({ after: BEFORE_FIRST })) {
    if (message.kind === 'caught-up' && followed >= count) return;
    if (message.kind !== 'event') continue;
    followed += 1;
    if (followed % 10_000 === 0) highest = Math.max(highest, process.memoryUsage().rss);
  }
});
console.log(
  `followed from ${count} events behind: ${perSecond(followed / following)}, RSS grown by ${Math.round((highest - before) / 1e6)} MB at most`,
);
await reader.close();
full.process.disconnect();
rmSync(directory, { recursive: true });
