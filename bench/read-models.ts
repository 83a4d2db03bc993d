// How fast all read models are rebuilt from the log of a demo store, and from a log ten times as long.
//   npm run leadger -- demo --days 400 --data DIR; npm run bench -- bench/read-models.ts DIR [events,events…] [postgres://…]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import type { EventStore, RecordedEvent } from '#event-store/port';
import { openReadModels } from '#read-models/read-models';
import { median, perSecond, seconds } from './shop.ts';

const [demo = '', sizes = '200000,2000000', databaseUrl] = process.argv.slice(2);
const ROUNDS = Number(process.env.ROUNDS ?? 3);
const UUID = /[0-9a-f]{8}(?=-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})/g;

/** Copies an event's text with different ids, so that it is about other customers, orders and leads. */
function again(text: string, round: number): string {
  return text.replace(UUID, (start) => ((Number.parseInt(start, 16) ^ round) >>> 0).toString(16).padStart(8, '0'));
}

/** Writes `count` events by repeating those of the demo. Events of streams without an own id are written once. */
async function fill(target: EventStore, count: number): Promise<void> {
  const source = await openEmbeddedStore({ directory: join(demo, 'events'), readOnly: true });
  let written = 0;
  let underWay: Promise<unknown>[] = [];
  for (let round = 0; written < count; round += 1)
    for await (const event of source.readAll()) {
      if (written === count) break;
      if (round > 0 && !new RegExp(UUID.source).test(event.stream)) continue;
      underWay.push(target.append(again(event.stream, round), [twin(event, round)], before(event)));
      written += 1;
      if (underWay.length < 1000) continue;
      await Promise.all(underWay);
      underWay = [];
    }
  await Promise.all(underWay);
  await source.close();
}

const before = ({ revision }: RecordedEvent) => (revision === 0 ? 'no-stream' : revision - 1);

function twin({ id, type, data, metadata }: RecordedEvent, round: number) {
  const changed = (bytes: Uint8Array) => Buffer.from(again(Buffer.from(bytes).toString(), round));
  return { id: again(id, round), type, data: changed(data), metadata: changed(metadata) };
}

const costs: number[] = [];
for (const count of sizes.split(',').map(Number)) {
  const directory = mkdtempSync(join(tmpdir(), 'leadger-bench-'));
  const store = await openEmbeddedStore({ directory: join(directory, 'events') });
  console.error(`${count} events written in ${(await seconds(() => fill(store, count))).toFixed(0)} s`);
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const home = databaseUrl === undefined ? { directory: join(directory, `read-models-${round}`) } : { databaseUrl };
    const readModels = await openReadModels({ store, ...home });
    const begun = performance.now();
    for (const name of readModels.names) {
      const time = await seconds(() => readModels.rebuild(name));
      console.error(`  ${name.padEnd(14)}${time.toFixed(2)} s`);
    }
    times.push((performance.now() - begun) / 1000);
    console.error(
      `  round ${round}: ${times.at(-1)?.toFixed(1)} s, RSS ${Math.round(process.memoryUsage.rss() / 1e6)} MB`,
    );
    await readModels.stop();
  }
  costs.push(median(times) / count);
  console.log(`${count} events, all read models: ${perSecond(count / median(times))}`);
  await store.close();
  rmSync(directory, { recursive: true });
}
if (costs.length > 1)
  console.log(`cost per event: ${((costs.at(-1) as number) / (costs[0] as number)).toFixed(2)} × the first`);
