// Appends to an event store on a server, and commands through the API, without feeds and with 1,950 customers' and 50 staff's
// feeds, which connect at once, are cut at once and come back at once. Checks that every feed got each change once, in order.
// Each round has all phases, so that a busy machine disturbs all of them alike; medians of the rounds are compared.
//   npm run build && npm run bench -- bench/feeds.ts [appends a second] [seconds a phase] [rounds] [DIR of an earlier run]
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { partOf } from '#event-store/data-directory';
import type { AppendOrder } from './feed-appends.ts';
import type { FeedsOrder } from './feed-clients.ts';
import { median, openOrders, openShop } from './shop.ts';

const [rate = '100', secondsAPhase = '10', rounds = '3', made] = process.argv.slice(2);
const TYPE = 'shared-aged';
const CUSTOMERS = 1950;
const STAFF = 50;
const SECONDS_OF_WARMING_UP = 5;
const COMMANDS_A_SECOND = 10;

const directory = made ?? mkdtempSync(join(tmpdir(), 'leadger-feeds-'));
if (made === undefined) {
  const shop = await openShop({ directory });
  await openOrders(shop, TYPE, CUSTOMERS);
  await shop.readModels.waitFor(await shop.events.head(), 3_600_000);
  await shop.close();
  console.error(`${CUSTOMERS} orders in ${directory}`);
}

async function start(file: string, ...args: string[]): Promise<{ process: ChildProcess; said: unknown }> {
  const child = fork(join(import.meta.dirname, file), args, { execArgv: ['--conditions=source'] });
  const [said] = await once(child, 'message');
  return { process: child, said };
}
const node = await start('wire-server.ts', 'node', partOf(directory, 'events'));
const events = node.said as string;
const appender = await start('feed-appends.ts', events);
const options = ['--data', directory, '--events', events, '--port', '0'];
// LEADGER_BENCH_NODE=--cpu-prof leaves a profile in the working directory; LEADGER_BENCH_PROGRAM: that of another version.
const nodeOptions = ['--max-semi-space-size=16', ...(process.env.LEADGER_BENCH_NODE?.split(' ') ?? [])];
const program = spawn(
  process.execPath,
  [...nodeOptions, process.env.LEADGER_BENCH_PROGRAM ?? 'dist/programs/standalone.js', ...options],
  {
    stdio: ['ignore', 'pipe', 'inherit'],
  },
);
process.once('exit', () => program.kill());
let said = '';
while (!/ready: (\S+)/.test(said)) said += (await once(program.stdout, 'data'))[0];
const url = /ready: (\S+)/.exec(said)?.[1] as string;
const readers = await start('feed-clients.ts', url);

async function tellReaders(order: FeedsOrder): Promise<string> {
  readers.process.send(order);
  return (await once(readers.process, 'message'))[0];
}

const residentMegabytes = (): number =>
  Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${program.pid}/status`, 'utf8'))?.[1]) / 1000);

/** Processor time that a process has used so far. On a busy machine it says more than time does. */
const processorSeconds = (pid: number | undefined): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
};

const orders: { readonly orderId: string; readonly customerId: string }[] = [];
for (let cursor = ''; orders.length < CUSTOMERS; ) {
  const page = await fetch(`${url}/api/orders?limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
  const { items, nextCursor } = (await page.json()) as { items?: typeof orders; nextCursor?: string };
  orders.push(...(items ?? []));
  cursor = nextCursor ?? '';
  if (!items) await wait(1000);
}

/** @returns milliseconds of each append */
async function appendFor(seconds: number): Promise<number[]> {
  const orderIds = orders.map(({ orderId }) => orderId);
  appender.process.send({ orderIds, rate: Number(rate), seconds } satisfies AppendOrder);
  return (await once(appender.process, 'message'))[0];
}

/** Milliseconds that the main thread of the program has worked so far, to the nanosecond. */
const workedMilliseconds = (): number =>
  Number(readFileSync(`/proc/${program.pid}/task/${program.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;

interface CommandTime {
  readonly milliseconds: number;
  /** What the program worked until the answer, on this command and on what came before: others' load is not in it. */
  readonly worked: number;
}

let commands = 0;
/** Each command is about another order. An order that is paused already stays paused. */
async function commandOnce(): Promise<CommandTime> {
  const [begun, workedBefore] = [performance.now(), workedMilliseconds()];
  const orderId = orders[commands % orders.length]?.orderId;
  commands += 1;
  const reply = await fetch(`${url}/api/orders/${orderId}/pause`, { method: 'POST' });
  await reply.arrayBuffer();
  if (reply.status !== 200) console.error(`the pause of ${orderId}: ${reply.status}`);
  return { milliseconds: performance.now() - begun, worked: workedMilliseconds() - workedBefore };
}

/** Sends commands at a rate, whether or not those before are answered. */
async function commandFor(seconds: number): Promise<CommandTime[]> {
  const begun = performance.now();
  const underWay: Promise<CommandTime>[] = [];
  for (let sent = 0; sent < COMMANDS_A_SECOND * seconds; sent += 1) {
    const due = begun + (sent * 1000) / COMMANDS_A_SECOND;
    if (due > performance.now()) await wait(due - performance.now());
    underWay.push(commandOnce());
  }
  return Promise.all(underWay);
}

const percentile = (times: readonly number[], share: number): number =>
  times.toSorted((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * share))] as number;
const inWords = (times: readonly number[]): string => {
  const [p50, p99, most] = [0.5, 0.99, 1].map((share) => percentile(times, share).toFixed(1));
  return `p50 ${p50} ms, p99 ${p99} ms, most ${most} ms`;
};

const processes = { program, store: node.process, readers: readers.process, appends: appender.process };
const phases = ['without feeds', 'while they connect', 'with feeds', 'while they come back'] as const;
type Phase = (typeof phases)[number];
const measures: { phase: Phase; [figure: string]: number | string }[] = [];

async function measure(phase: Phase, meanwhile: () => Promise<unknown> = async () => {}): Promise<void> {
  const begun = performance.now();
  const pids = Object.entries(processes).map(([name, { pid }]) => [name, pid, processorSeconds(pid)] as const);
  const there = meanwhile().then(() => performance.now() - begun);
  const [appends, commanded] = await Promise.all([appendFor(Number(secondsAPhase)), commandFor(Number(secondsAPhase))]);
  const all = await there;
  const used = Object.fromEntries(pids.map(([name, pid, before]) => [name, processorSeconds(pid) - before]));
  const figures = { 'appends p50': percentile(appends, 0.5), 'appends p99': percentile(appends, 0.99) };
  const times = commanded.map(({ milliseconds }) => milliseconds);
  const worked = commanded.map((command) => command.worked);
  const ofCommands = { 'commands p50': percentile(times, 0.5), 'commands p99': percentile(times, 0.99) };
  const ofWork = {
    'work until answers p50': percentile(worked, 0.5),
    'work until answers p99': percentile(worked, 0.99),
  };
  measures.push({
    phase,
    ...figures,
    ...ofCommands,
    ...ofWork,
    'processor seconds of the program': used.program as number,
  });
  const processors = Object.entries(used).map(([name, seconds]) => `${name} ${seconds.toFixed(1)} s`);
  console.log(
    `${phase}: appends ${inWords(appends)}; commands ${inWords(times)}, the program worked until they were answered ${inWords(worked)}; all there after ${Math.round(all)} ms; RSS ${residentMegabytes()} MB; processor: ${processors.join(', ')}; load of the machine ${loadavg()[0]?.toFixed(1)}`,
  );
}

await appendFor(SECONDS_OF_WARMING_UP);
const customerIds = orders.slice(0, CUSTOMERS).map(({ customerId }) => customerId);
for (let round = 0; round < Number(rounds); round += 1) {
  await measure('without feeds');
  await measure('while they connect', () => tellReaders({ kind: 'connect', customerIds, staff: STAFF }));
  await measure('with feeds');
  await measure('while they come back', () => tellReaders({ kind: 'cut' }));
  console.log(await tellReaders({ kind: 'check', atLeast: 2 * Number(rate) * Number(secondsAPhase) }));
  await tellReaders({ kind: 'end' });
  await wait(1000);
}
for (const figure of Object.keys(measures[0] ?? {}).filter((name) => name !== 'phase')) {
  const medianIn = (phase: Phase) =>
    median(measures.filter((one) => one.phase === phase).map((one) => one[figure] as number));
  const said = phases.map((phase) => {
    const times = (medianIn(phase) / medianIn('without feeds')).toFixed(2);
    return `${phase} ${medianIn(phase).toFixed(1)} (${times})`;
  });
  console.log(`median ${figure} (times that without feeds): ${said.join(', ')}`);
}
program.kill('SIGTERM');
await once(program, 'exit');
for (const { process: child } of [appender, node, readers]) child.disconnect();
console.log(`the store is left in ${directory}`);
