import { existsSync, readdirSync } from 'node:fs';
import { NestFactory } from '@nestjs/core';
import { decode } from '#domain/codec';
import type { EventStore } from '#event-store/port';
import { MovedClock } from '#gateways/clock';
import { mailInMemory } from '#gateways/mail';
import { noWebhooks } from '#gateways/webhooks';
import { ProcessEngine } from '#processes/engine/engine';
import type { Requests } from '#requests/requests';
import { LeadgerModule } from '#wiring/leadger.module';
import { startLeadger } from '#wiring/start';
import { openStores } from '#wiring/stores';
import { REQUESTS } from '#wiring/tokens';
import { CommandFailed } from './command-failed.ts';
import { Chance } from './demo/chance.ts';
import { LeadSupply } from './demo/lead-supply.ts';
import { Life, type Lived } from './demo/life.ts';
import { inventPeople } from './demo/people.ts';
import { readSampleOrders } from './demo/sample-orders.ts';
import { type DemoSummary, printSummary, summarise } from './demo/summary.ts';
import { bar, Progress } from './progress.ts';
import { brokenIn } from './verify.ts';

interface DemoOptions {
  readonly days: number;
  readonly seed: number;
  /** Must be empty or not exist, unless `continue` is true. Undefined: in memory. */
  readonly data?: string | undefined;
  /** Continues an interrupted demo of the same seed. */
  readonly continue?: boolean;
  readonly json?: boolean;
  /** Must be an empty log. Undefined: the events are in the directory. */
  readonly eventStoreDb?: string | undefined;
  /** Must be an empty database. Undefined: the rows are in the directory. */
  readonly databaseUrl?: string | undefined;
}

/** Simulates some days of a lead store and prints a summary. @returns the exit code: 1 when a law is broken */
export async function demo(options: DemoOptions): Promise<number> {
  const summary = await runDemo(options);
  if (options.json) console.log(JSON.stringify(summary, null, 2));
  else printSummary(summary, options.data);
  return brokenIn(summary).length === 0 ? 0 : 1;
}

/** @throws CommandFailed when the directory is not empty or the demo's packages are not installed */
export async function runDemo({
  days,
  seed,
  data,
  continue: goesOn = false,
  eventStoreDb,
  databaseUrl,
}: DemoOptions): Promise<DemoSummary> {
  mustBePossible({ days, data, continue: goesOn });
  const chance = new Chance('leadger demo', String(seed));
  const [sample, people] = [await readSampleOrders(), await inventPeople()];
  const stores = await openStores({
    directory: data,
    eventStoreDb,
    databaseUrl,
    // Made from the seed, so that persons have the same keys in every run, and leads the same ids.
    matchingSecret: Buffer.from(`leadger demo ${seed}`.padEnd(32)).subarray(0, 32),
  });
  const lived = goesOn ? await livedIn(stores.events) : undefined;
  const clock = new MovedClock(lived?.until ?? Life.firstDay(sample));
  const application = await NestFactory.createApplicationContext(
    LeadgerModule.on(stores, { clock, mails: mailInMemory(), webhooks: noWebhooks() }),
    {
      logger: ['error', 'warn'],
    },
  );
  try {
    const { running } = await startLeadger(application, { prepare: false });
    const stopped = running.then((): never => {
      throw new Error('the processes stopped');
    });
    stopped.catch(() => {});
    const life = new Life({
      requests: application.get<Requests>(REQUESTS),
      engine: application.get(ProcessEngine),
      events: stores.events,
      clock,
      sample,
      supply: new LeadSupply(chance.of('supply'), people),
      people,
      chance: chance.of('people'),
      lived,
    });
    // Work that was pending at the interruption is completed at that instant.
    if (lived) await Promise.race([application.get(ProcessEngine).settle(), stopped]);
    const start = performance.now();
    const progress = new Progress((day) => `${bar(day, days)}${clock.now().slice(0, 10)}, day ${day} of ${days}`);
    await life.open();
    for (let day = 0; day < days; day += 1) {
      await Promise.race([life.live(day), stopped]);
      progress.update(day + 1);
    }
    const seconds = (performance.now() - start) / 1000;
    progress.end();
    return await summarise({ seed, days, seconds }, stores);
  } finally {
    await application.close();
  }
}

/** @throws CommandFailed */
function mustBePossible({ days, data, continue: goesOn }: Pick<DemoOptions, 'days' | 'data' | 'continue'>): void {
  if (days < 1) throw new CommandFailed('a demo has at least one day');
  if (goesOn && data === undefined)
    throw new CommandFailed('--continue needs the directory of the demo: name it with --data');
  if (!goesOn && data !== undefined && existsSync(data) && readdirSync(data).length > 0)
    throw new CommandFailed(`${data} is not empty: a demo starts in an empty directory, or continues with --continue`);
}

/** @returns undefined for an empty log */
async function livedIn(store: EventStore): Promise<Lived | undefined> {
  const commandIds = new Set<string>();
  let until = '';
  for await (const recorded of store.readAll()) {
    const { data, cause } = decode(recorded);
    commandIds.add(cause.commandId);
    if (data.at > until) until = data.at;
  }
  return until === '' ? undefined : { until, commandIds };
}
