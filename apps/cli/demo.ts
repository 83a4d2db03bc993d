import { existsSync, readdirSync } from 'node:fs';
import { NestFactory } from '@nestjs/core';
import { logDigest, rowsDigest } from '#audit/digest';
import { checkLaws, type Verdict } from '#audit/laws';
import { decode } from '#domain/codec';
import { hashOfEvent } from '#event-store/embedded/embedded-store';
import type { EventStore } from '#event-store/port';
import { MovedClock } from '#gateways/clock';
import { mailInMemory } from '#gateways/mail';
import { noWebhooks } from '#gateways/webhooks';
import { ProcessEngine } from '#processes/engine/engine';
import type { Requests } from '#requests/requests';
import { LeadgerModule } from '#wiring/leadger.module';
import { startLeadger } from '#wiring/start';
import { openStores, type Stores } from '#wiring/stores';
import { REQUESTS } from '#wiring/tokens';
import { CommandFailed } from './command-failed.ts';
import { Chance } from './demo/chance.ts';
import { LeadSupply } from './demo/lead-supply.ts';
import { Life, type Lived } from './demo/life.ts';
import { inventPeople } from './demo/people.ts';
import { readSampleOrders } from './demo/sample-orders.ts';
import { bar, Progress, thousands } from './progress.ts';
import { brokenIn } from './verify.ts';

export interface DemoOptions {
  readonly days: number;
  readonly seed: number;
  /** Must be empty or not there, unless it is gone on with. Undefined: in memory. */
  readonly data?: string | undefined;
  /** Goes on with a demo of the same seed that was cut short. */
  readonly continue?: boolean;
  readonly json?: boolean;
  /** Must be an empty log. Undefined: the events lie beside the rest. */
  readonly eventStoreDb?: string | undefined;
  /** Must be an empty database. Undefined: the rows lie beside the rest. */
  readonly databaseUrl?: string | undefined;
}

export interface DemoSummary {
  readonly seed: number;
  readonly days: number;
  readonly events: number;
  readonly orders: number;
  readonly leadsReceived: number;
  readonly leadsDelivered: number;
  readonly replacements: {
    readonly requested: number;
    readonly granted: number;
    readonly denied: number;
    readonly delivered: number;
  };
  readonly programmes: { readonly joined: number; readonly renewals: number; readonly declined: number };
  readonly coupons: { readonly used: number; readonly refused: number };
  readonly tickets: { readonly opened: number; readonly overdue: number };
  readonly mails: { readonly sent: number; readonly withheld: number };
  readonly laws: Verdict['laws'];
  readonly decisions: Verdict['decisions'];
  readonly logDigest: string;
  /** Over all rows of all read models, opened. */
  readonly rowsDigest: string;
  /** Of living through the days; without checking afterwards. */
  readonly seconds: number;
  readonly eventsPerSecond: number;
}

/** Lives through some days of a lead store and prints what came of it. @returns the exit code: 1 when a law is broken */
export async function demo(options: DemoOptions): Promise<number> {
  const summary = await runDemo(options);
  if (options.json) console.log(JSON.stringify(summary, null, 2));
  else print(summary, options.data);
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
  if (days < 1) throw new CommandFailed('a demo has at least one day');
  if (goesOn && data === undefined) throw new CommandFailed('which demo is to go on? Name its directory with --data');
  if (!goesOn && data !== undefined && existsSync(data) && readdirSync(data).length > 0)
    throw new CommandFailed(`${data} is not empty: a demo begins in an empty directory, or goes on with --continue`);
  const chance = new Chance('leadger demo', String(seed));
  const [sample, people] = [await readSampleOrders(), await inventPeople()];
  const stores = await openStores({
    directory: data,
    eventStoreDb,
    databaseUrl,
    // Of the seed, so that persons have the same keys in every run, and leads the same ids.
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
    // What was under way when it was cut short comes to its end at that hour.
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

/** Nothing, in an empty log. */
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

const READ_MODELS_MILLISECONDS = 600_000;

async function summarise(
  { seed, days, seconds }: { seed: number; days: number; seconds: number },
  { events: store, readModels, vault }: Stores,
): Promise<DemoSummary> {
  if (!(await readModels.waitFor(await store.head(), READ_MODELS_MILLISECONDS)))
    throw new Error('the read models did not come up to the end of the log');
  const { laws, decisions, events } = await checkLaws(store, { hashOf: hashOfEvent });
  const counts = await countTypes(store);
  const count = (type: string) => counts.get(type) ?? 0;
  return {
    seed,
    days,
    events,
    orders: count('OrderPlaced'),
    leadsReceived: count('LeadReceived'),
    leadsDelivered: count('LeadDelivered'),
    replacements: {
      requested: count('ReplacementRequested'),
      granted: count('ChargebackGranted'),
      denied: count('ChargebackDenied'),
      delivered: count('ReplacementDelivered'),
    },
    programmes: {
      joined: count('ProgrammeJoined'),
      renewals: count('OrderReopened'),
      declined: count('RenewalDeclined'),
    },
    coupons: { used: count('CouponUsed'), refused: count('CouponRefused') },
    tickets: { opened: count('TicketOpened'), overdue: count('TicketOverdue') },
    mails: { sent: count('MailSent'), withheld: count('MailWithheld') },
    laws,
    decisions,
    logDigest: await logDigest(store, vault),
    rowsDigest: await rowsDigest(readModels, vault),
    seconds: Number(seconds.toFixed(2)),
    eventsPerSecond: Math.round(events / seconds),
  };
}

async function countTypes(store: EventStore): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for await (const { type } of store.readAll()) counts.set(type, (counts.get(type) ?? 0) + 1);
  return counts;
}

function print(summary: DemoSummary, data: string | undefined): void {
  const { replacements, programmes, coupons, tickets, mails, decisions, laws } = summary;
  const rows: [string, string][] = [
    ['days', thousands(summary.days)],
    ['seed', String(summary.seed)],
    ['events', thousands(summary.events)],
    ['orders', thousands(summary.orders)],
    ['leads received', thousands(summary.leadsReceived)],
    ['leads delivered', thousands(summary.leadsDelivered)],
    ['returns requested', thousands(replacements.requested)],
    ['  granted', thousands(replacements.granted)],
    ['  denied', thousands(replacements.denied)],
    ['  replaced', thousands(replacements.delivered)],
    ['programmes joined', thousands(programmes.joined)],
    ['  renewals', `${thousands(programmes.renewals)} (${thousands(programmes.declined)} charges declined)`],
    ['coupons used', `${thousands(coupons.used)} (${thousands(coupons.refused)} refused)`],
    ['tickets', `${thousands(tickets.opened)} (${thousands(tickets.overdue)} overdue)`],
    ['mails sent', `${thousands(mails.sent)} (${thousands(mails.withheld)} withheld)`],
    ['decisions made again', `${thousands(decisions.judged)} (${thousands(decisions.passedOver)} passed over)`],
    ['seconds', `${summary.seconds} (${thousands(summary.eventsPerSecond)} events a second)`],
    ['log digest', summary.logDigest],
    ['rows digest', summary.rowsDigest],
  ];
  for (const [name, value] of rows) console.log(`${name.padEnd(22)}${value}`);
  const broken = brokenIn(summary);
  console.log(
    broken.length === 0
      ? 'all laws hold'
      : `${broken.length} ${broken.length === 1 ? 'law is' : 'laws are'} broken: ${broken.map((law) => `${law} ${laws[law]}`).join(', ')}`,
  );
  if (data !== undefined) console.log(`\nThe store is in ${data}: npm start -- --data ${data}`);
}
