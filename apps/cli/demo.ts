import { existsSync, readdirSync } from 'node:fs';
import { decode } from '#domain/codec';
import type { Instant } from '#domain/kernel/events';
import { addDays, parseInstant } from '#domain/kernel/instants';
import { MovedClock, systemClock } from '#gateways/clock';
import { openStores, type Stores } from '#wiring/stores';
import { CommandFailed } from './command-failed.ts';
import { Chance } from './demo/chance.ts';
import { LeadSupply } from './demo/lead-supply.ts';
import { Life, type Lived } from './demo/life.ts';
import { inventPeople } from './demo/people.ts';
import { readSampleOrders } from './demo/sample-orders.ts';
import { type DemoSummary, printSummary, summarise } from './demo/summary.ts';
import { withoutTrouble, withTrouble } from './demo/trouble.ts';
import { printJson } from './print.ts';
import { bar, Progress } from './progress.ts';
import { type RunningStore, runStore } from './running-store.ts';
import { noteCounts } from './telling.ts';
import { brokenIn } from './verify.ts';

interface DemoOptions {
  readonly days: number;
  readonly seed: number;
  /**
   * When the last day ends. Default: now, so that nothing is due when its store is opened. One that is
   * continued ends when it would have ended.
   */
  readonly until?: string | undefined;
  /** Must be empty or not exist, unless `continue` is true. Undefined: in memory. */
  readonly data?: string | undefined;
  /** Continues an interrupted demo of the same seed. */
  readonly continue?: boolean;
  /** Mails, programs of customers and payments fail for some days, and odd files of leads come. */
  readonly trouble?: boolean;
  readonly json?: boolean;
  /** Must be an empty log. Undefined: the events are in the directory. */
  readonly eventStoreDb?: string | undefined;
  /** Must be an empty database. Undefined: the rows are in the directory. */
  readonly databaseUrl?: string | undefined;
}

/** Simulates some days of a lead store and prints a summary. @returns the exit code: 1 when a law is broken */
export async function demo(options: DemoOptions): Promise<number> {
  const summary = await runDemo(options);
  noteCounts({ events: summary.events });
  if (options.json) printJson(summary);
  else printSummary(summary, options.data);
  return brokenIn(summary).length === 0 ? 0 : 1;
}

/** @throws CommandFailed when the directory is not empty or the demo's packages are not installed */
export async function runDemo(options: DemoOptions): Promise<DemoSummary> {
  mustBePossible(options);
  const startOfNew = startOf(options);
  const { days, seed, trouble = false } = options;
  const [sample, people] = [await readSampleOrders(), await inventPeople()];
  const stores = await openStoresFor(options);
  const lived = options.continue ? await livedIn(stores) : undefined;
  const start = lived?.since ?? startOfNew;
  const clock = new MovedClock(lived?.until ?? start);
  const store = await runStore(stores, {
    clock,
    ...(trouble ? withTrouble(clock, start) : withoutTrouble()),
    prepare: false,
  });
  try {
    const { requests, engine } = store;
    const chance = new Chance('leadger demo', String(seed));
    const supply = new LeadSupply(chance.of('supply'), people);
    const present = { requests, engine, events: stores.events, clock, lived, trouble };
    const life = new Life({ ...present, start, days, sample, supply, people, chance: chance.of('people') });
    // Work that was pending at the interruption is completed at that instant.
    if (lived) await store.untilDone(engine.settle());
    const seconds = await simulate(life, days, { store, clock });
    return await summarise({ seed, days, seconds, ...(trouble && { trouble: life.trouble }) }, stores);
  } finally {
    await store.close();
  }
}

/** @throws CommandFailed */
function startOf({ days, until }: DemoOptions): Instant {
  const end = until === undefined ? undefined : parseInstant(until);
  if (until !== undefined && !end)
    throw new CommandFailed(`--until ${until} is not an instant with a zone, like 2026-05-01T09:30:00-04:00`);
  return addDays(end ?? systemClock().now(), -days);
}

const openStoresFor = ({ seed, data, eventStoreDb, databaseUrl }: DemoOptions): Promise<Stores> =>
  openStores({
    directory: data,
    eventStoreDb,
    databaseUrl,
    // Made from the seed, so that persons have the same keys in every run, and leads the same ids.
    matchingSecret: Buffer.from(`leadger demo ${seed}`.padEnd(32)).subarray(0, 32),
  });

/** @returns the seconds that it took */
async function simulate(
  life: Life,
  days: number,
  { store, clock }: { store: RunningStore; clock: MovedClock },
): Promise<number> {
  const start = performance.now();
  const progress = new Progress((day) => `${bar(day, days)}${clock.now().slice(0, 10)}, day ${day} of ${days}`);
  await store.untilDone(life.open());
  for (let day = 0; day < days; day += 1) {
    await store.untilDone(life.live(day));
    progress.update(day + 1);
  }
  progress.end();
  return (performance.now() - start) / 1000;
}

/** @throws CommandFailed */
function mustBePossible({ days, data, continue: goesOn }: Pick<DemoOptions, 'days' | 'data' | 'continue'>): void {
  if (days < 1) throw new CommandFailed('a demo has at least one day');
  if (goesOn && data === undefined)
    throw new CommandFailed('--continue needs the directory of the demo: name it with --data');
  if (!goesOn && data !== undefined && existsSync(data) && readdirSync(data).length > 0)
    throw new CommandFailed(`${data} is not empty: a demo starts in an empty directory, or continues with --continue`);
}

/** @returns undefined for an empty log. If the log cannot be read, the stores are closed. */
async function livedIn({ events, close }: Stores): Promise<Lived | undefined> {
  const commandIds = new Set<string>();
  let [since, until] = ['', ''];
  try {
    for await (const recorded of events.readAll()) {
      const { data, cause } = decode(recorded);
      commandIds.add(cause.commandId);
      if (since === '') since = data.at;
      if (data.at > until) until = data.at;
    }
  } catch (error) {
    await close();
    throw error;
  }
  return until === '' ? undefined : { since, until, commandIds };
}
