import { describeFact, type HistoryEvent } from '#audit/history';
import { decode } from '#domain/codec';
import { counted, thousands } from '#domain/kernel/counted';
import type { Instant } from '#domain/kernel/events';
import { addDays } from '#domain/kernel/instants';
import type { EventStore, Position } from '#event-store/port';
import { makeTemporaryDirectory } from '#event-store/temporary-directory';
import { MovedClock, systemClock } from '#gateways/clock';
import { mailInMemory } from '#gateways/mail';
import { assumedPayments } from '#gateways/payments';
import { noWebhooks } from '#gateways/webhooks';
import type { ProcessEngine } from '#processes/engine/engine';
import type { StoreLocation, Stores } from '#wiring/stores';
import type { Goal } from './clock-goal.ts';
import { printError, printJson, printLines } from './print.ts';
import { bar, Progress } from './progress.ts';
import { runStore } from './running-store.ts';
import { whenStopped } from './stopped.ts';
import { openCopy } from './store-copy.ts';
import { tellEvent } from './words.ts';

interface ComingEvent extends Omit<HistoryEvent, 'position'> {
  readonly stream: string;
}

type Parked = ReturnType<ProcessEngine['parked']>[number];

interface Outlook {
  readonly from: Instant;
  readonly to: Instant;
  readonly events: readonly ComingEvent[];
  /** Events that a process could not handle after several attempts. */
  readonly parked: readonly Parked[];
}

const assumptions = [
  'nobody does anything: no new orders, leads, returns or answers',
  'every charge is captured, except with the tokens of the sandbox that decline (tok_declined…)',
  'the mail server accepts every mail, and customers’ programs accept every lead; nothing is really sent',
];

/**
 * Shows what a store will do by itself: its processes run on a copy whose clock is moved. The copy is in a temporary
 * directory, which is removed at the end, or by the next program if this one is killed. The store is only read.
 * @throws CommandFailed when there is no store, or the goal is not ahead of its clock
 */
export async function lookAhead(
  location: StoreLocation,
  goal: Goal,
  { json = false }: { json?: boolean },
): Promise<void> {
  const outlook = await inTemporaryDirectory(async (directory) => {
    printError(`leadger: the copy is in ${directory} until this command ends`);
    const progress = new Progress((events) => `${counted(events, 'event')} copied`);
    let copied = 0;
    const copy = await openCopy(location, directory, (events) => {
      copied = events;
      progress.update(events);
    });
    progress.end();
    printError(`leadger: ${counted(copied, 'event')} copied`);
    return whatComes(copy, goal);
  });
  if (json) printJson({ assumptions, ...outlook, ...summaryOf(outlook) });
  else print(outlook);
}

const MILLISECONDS_A_DAY = 86_400_000;

/** Runs the processes of a store until the goal, and closes it. */
async function whatComes(stores: Stores, goal: Goal): Promise<Outlook> {
  const { events } = stores;
  const from = await presentOf(events);
  const clock = new MovedClock(from);
  const store = await runStore(stores, { clock, ...outsideWorld(), prepare: false });
  try {
    const { engine } = store;
    const to = goal(from);
    const head = await events.head();
    await store.untilDone(moveTo(to, clock, engine));
    return { from, to, events: await eventsAfter(head, stores), parked: engine.parked() };
  } finally {
    await store.close();
  }
}

/** As `assumptions` describe it. */
const outsideWorld = () => ({ payments: assumedPayments(), mails: mailInMemory(), webhooks: noWebhooks() });

/** Now, or the instant of the last event if that is later, as in a demo. */
async function presentOf(events: EventStore): Promise<Instant> {
  const now = systemClock().now();
  for await (const last of events.readAll({ direction: 'backwards', maxCount: 1 })) {
    const { at } = decode(last).data;
    if (at > now) return at;
  }
  return now;
}

/** First everything that is due now, then day by day. */
async function moveTo(to: Instant, clock: MovedClock, engine: ProcessEngine): Promise<void> {
  const from = clock.now();
  await engine.settle();
  const days = Math.ceil((Date.parse(to) - Date.parse(from)) / MILLISECONDS_A_DAY);
  const progress = new Progress((day) => `${bar(day, days)}${clock.now().slice(0, 10)}, day ${day} of ${days}`);
  for (let day = 1; day <= days; day += 1) {
    const next = addDays(from, day);
    await clock.moveTo(next < to ? next : to);
    progress.update(day);
  }
  await engine.settle();
  progress.end();
}

async function eventsAfter(head: Position, { events, vault }: Stores): Promise<ComingEvent[]> {
  const coming: ComingEvent[] = [];
  for await (const recorded of events.readAll({ after: head })) {
    const { position: _, ...entry } = await describeFact(decode(recorded), vault);
    coming.push({ stream: recorded.stream, ...entry });
  }
  return coming;
}

/** The directory is removed when the work is done, also when the program is stopped before. */
async function inTemporaryDirectory<Result>(work: (directory: string) => Promise<Result>): Promise<Result> {
  const { path, remove } = makeTemporaryDirectory('clock');
  const stopRemoving = whenStopped(remove);
  process.once('exit', remove);
  try {
    return await work(path);
  } finally {
    remove();
    stopRemoving();
    process.off('exit', remove);
  }
}

function summaryOf({ events }: Outlook) {
  const sent = events.flatMap(({ type, data }) => (type === 'MailSent' ? [data.kind as string] : []));
  return { counts: countsOf(events.map(({ type }) => type)), mails: countsOf(sent) };
}

/** How often each name occurs, the most frequent first. */
function countsOf(names: readonly string[]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([a, many], [b, few]) => few - many || (a < b ? -1 : 1)));
}

function print(outlook: Outlook): void {
  const { from, to, events, parked } = outlook;
  printLines(`from ${from} to ${to}, on a copy, if`, ...assumptions.map((one) => `  - ${one}`));
  const typeWidth = Math.max(...events.map(({ type }) => type.length));
  let day = '';
  for (const { stream, type, at, data } of events) {
    if (at.slice(0, 10) !== day) {
      day = at.slice(0, 10);
      printLines('', day);
    }
    printLines(`  ${at.slice(11)}  ${type.padEnd(typeWidth)}  ${stream}`, `      ${tellEvent(type, data)}`);
  }
  const { counts, mails } = summaryOf(outlook);
  printLines('', events.length === 0 ? 'nothing happens' : counted(events.length, 'event'));
  printCounts(counts);
  if (Object.keys(mails).length > 0) printLines('mails that are sent');
  printCounts(mails);
  if (parked.length > 0) printLines('parked after several failed attempts');
  for (const { since, what, stream, reason } of parked) printLines(`  ${since}  ${what} at ${stream}: ${reason}`);
}

function printCounts(counts: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(counts)) printLines(`${thousands(count).padStart(8)}  ${name}`);
}
