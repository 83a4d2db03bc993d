// The embedded store: durable appends, loading streams, and reading the whole log with hash checks.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deriveId } from '#domain/kernel/ids';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import { hashOfEvent } from '#event-store/event-hash';
import type { NewEvent } from '#event-store/port';
import { inParallel, median, perSecond, seconds } from './shop.ts';

const ROUNDS = 3;
const EVENTS = 20_000;
const STREAM_LENGTH = 10;
const CALLERS = 64;

const directory = mkdtempSync(join(tmpdir(), 'leadger-bench-'));
const store = await openEmbeddedStore({ directory });
const data = Buffer.from(JSON.stringify({ at: new Date().toISOString(), filling: 'x'.repeat(350) }));
const metadata = Buffer.from(JSON.stringify({ version: 1, actor: 'bench', commandId: 'x'.repeat(36) }));
const event = (name: string, number: number): NewEvent => ({
  id: deriveId(name, String(number)),
  type: 'BenchEvent',
  data,
  metadata,
});

/** Concurrent callers. Each appends one event after the other to its own streams. */
const append = (name: string, count: number, callers: number) =>
  inParallel(callers, callers, async (caller) => {
    for (let number = 0; number < count / callers; number += 1) {
      const stream = `${name}-${caller}-${Math.floor(number / STREAM_LENGTH)}`;
      const revision = number % STREAM_LENGTH;
      const expected = revision === 0 ? 'no-stream' : revision - 1;
      await store.append(stream, [event(`${name} ${caller}`, number)], expected);
    }
  });

const rates = { together: [] as number[], serial: [] as number[], load: [] as number[] };
for (let round = 0; round < ROUNDS; round += 1) {
  const serial = EVENTS / 10;
  rates.serial.push(serial / (await seconds(() => append(`serial${round}`, serial, 1))));
  rates.together.push(EVENTS / (await seconds(() => append(`together${round}`, EVENTS, CALLERS))));
  const streams = Array.from({ length: CALLERS }, (_, caller) => caller).flatMap((caller) =>
    Array.from({ length: 30 }, (_, number) => `together${round}-${caller}-${number}`),
  );
  const time = await seconds(async () => {
    for (const stream of streams) {
      let length = 0;
      for await (const _ of store.readStream(stream)) length += 1;
      if (length !== STREAM_LENGTH) throw new Error(`${stream} has ${length} events`);
    }
  });
  rates.load.push(streams.length / time);
}
const [together, serial, load] = [median(rates.together), median(rates.serial), median(rates.load)];
console.log(
  `durable appends, ${CALLERS} callers: ${perSecond(together)}, ${(together / serial).toFixed(1)} × one caller (${perSecond(serial)})`,
);
console.log(`streams of ${STREAM_LENGTH} loaded: ${perSecond(load)}`);

let events = 0;
const read: number[] = [];
for (let round = 0; round < ROUNDS; round += 1) {
  events = 0;
  const time = await seconds(async () => {
    for await (const recorded of store.readAll()) {
      if (Buffer.compare(hashOfEvent(recorded), recorded.hash as Uint8Array) !== 0) throw new Error('a hash is wrong');
      events += 1;
    }
  });
  read.push(events / time);
}
console.log(`whole log of ${events} events read, hashes checked: ${perSecond(median(read))}`);
await store.close();
rmSync(directory, { recursive: true });
