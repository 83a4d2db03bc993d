// Appends to an event store on a server, without feeds and with 1,950 customers' and 50 staff's
// feeds, which connect at once, are cut at once and come back at once. Checks that every feed got each change once, in order.
//   npm run build && npm run bench -- bench/feeds.ts [appends a second] [seconds a phase] [rounds] [DIR of an earlier run]
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { type ClientRequest, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { partOf } from '#event-store/data-directory';
import type { AppendOrder } from './feed-appends.ts';
import { median, openOrders, openShop } from './shop.ts';

const [rate = '100', secondsAPhase = '10', rounds = '3', made] = process.argv.slice(2);
const TYPE = 'shared-aged';
const CUSTOMERS = 1950;
const STAFF = 50;
const SECONDS_OF_WARMING_UP = 5;

const directory = made ?? mkdtempSync(join(tmpdir(), 'leadger-feeds-'));
if (made === undefined) {
  const shop = await openShop({ directory });
  await openOrders(shop, TYPE, CUSTOMERS);
  await shop.readModels.waitFor(await shop.events.head(), 3_600_000);
  await shop.close();
  console.error(`${CUSTOMERS} orders in ${directory}`);
}

const node: ChildProcess = fork(join(import.meta.dirname, 'wire-server.ts'), ['node', partOf(directory, 'events')], {
  execArgv: ['--conditions=source'],
});
const [events] = await once(node, 'message');
const appender = fork(join(import.meta.dirname, 'feed-appends.ts'), [events as string], {
  execArgv: ['--conditions=source'],
});
await once(appender, 'message');
const options = ['--data', directory, '--events', events as string, '--port', '0'];
const program = spawn(process.execPath, ['--max-semi-space-size=16', 'dist/apps/standalone/main.js', ...options], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
process.once('exit', () => program.kill());
let said = '';
while (!/ready: (\S+)/.test(said)) said += (await once(program.stdout, 'data'))[0];
const url = /ready: (\S+)/.exec(said)?.[1] as string;
const residentMegabytes = (): number =>
  Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${program.pid}/status`, 'utf8'))?.[1]) / 1000);

/** Processor time that a process has used so far. On a busy machine it says more than time does. */
const processorSeconds = (pid: number | undefined): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
};

function ask(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(`${url}${path}`, async (reply) => resolve((await reply.setEncoding('utf8').toArray()).join(''))).on(
      'error',
      reject,
    );
  });
}

/** One feed that comes back whenever it is cut, with the last id that it received. */
class BenchFeed {
  readonly #actor: string;
  readonly changes: { readonly id: string; readonly customerId: string }[] = [];
  #lastId: string | undefined;
  #open: ClientRequest | undefined;
  #over = false;
  connections = 0;
  refusals = 0;
  ready = Promise.withResolvers<void>();

  constructor(actor: string) {
    this.#actor = actor;
  }

  connect(): void {
    const headers = { 'leadger-actor': this.#actor, ...(this.#lastId && { 'last-event-id': this.#lastId }) };
    this.connections += 1;
    const again = () => {
      if (this.#over) return;
      this.refusals += 1;
      setTimeout(() => this.connect(), 200);
    };
    this.#open = get(`${url}/api/feed?kind=order`, { headers, agent: false }, (reply) => {
      if (reply.statusCode !== 200) {
        reply.resume();
        return again();
      }
      let text = '';
      reply.setEncoding('utf8').on('data', (part: string) => {
        const whole = (text + part).split('\n\n');
        text = whole.pop() as string;
        for (const one of whole) this.#take(one);
      });
      reply.on('close', again);
      reply.on('error', () => {});
    }).on('error', again);
  }

  #take(message: string): void {
    const id = /^id: (.*)$/m.exec(message)?.[1];
    if (id === undefined) return;
    this.ready.resolve();
    if (message.includes('event: change')) {
      const last = this.changes.at(-1);
      if (last && id <= last.id) throw new Error(`${this.#actor} got ${id} after ${last.id}`);
      this.changes.push({ id, customerId: /"customerId":"([^"]+)"/.exec(message)?.[1] as string });
    }
    this.#lastId = id;
  }

  /** The connection breaks. */
  cut(): void {
    this.ready = Promise.withResolvers();
    this.#open?.destroy();
  }

  end(): void {
    this.#over = true;
    this.#open?.destroy();
  }
}

const orders: { readonly orderId: string; readonly customerId: string }[] = [];
for (let cursor = ''; orders.length < CUSTOMERS; ) {
  const page = await ask(`/api/orders?limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
  const { items, nextCursor } = JSON.parse(page);
  orders.push(...(items ?? []));
  cursor = nextCursor ?? '';
  if (!items) await wait(1000);
}

/** @returns milliseconds of each append */
async function appendFor(seconds: number): Promise<number[]> {
  appender.send({ orderIds: orders.map(({ orderId }) => orderId), rate: Number(rate), seconds } satisfies AppendOrder);
  return (await once(appender, 'message'))[0];
}

const percentile = (times: readonly number[], share: number): number =>
  times.toSorted((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * share))] as number;
const phases = ['without feeds', 'while they connect', 'with feeds', 'while they come back'] as const;
const p99s = new Map<string, number[]>(phases.map((phase) => [phase, []]));
async function measure(phase: (typeof phases)[number], meanwhile: () => Promise<unknown> = async () => {}) {
  const start = performance.now();
  const used = [program, node].map(({ pid }) => processorSeconds(pid));
  const there = meanwhile().then(() => performance.now() - start);
  const times = await appendFor(Number(secondsAPhase));
  const all = await there;
  p99s.get(phase)?.push(percentile(times, 0.99));
  const [p50, p99, most] = [0.5, 0.99, 1].map((share) => percentile(times, share).toFixed(1));
  const [ours, theirs] = [program, node].map(({ pid }, index) => processorSeconds(pid) - (used[index] as number));
  console.log(
    `${phase}: p50 ${p50} ms, p99 ${p99} ms, most ${most} ms; all there after ${Math.round(all)} ms; RSS ${residentMegabytes()} MB; processor ${ours?.toFixed(1)} s, of the event store ${theirs?.toFixed(1)} s`,
  );
}

await appendFor(SECONDS_OF_WARMING_UP);
for (let round = 0; round < Number(rounds); round += 1) {
  await measure('without feeds');
  const customers = orders.slice(0, CUSTOMERS).map(({ customerId }) => new BenchFeed(`customer:${customerId}`));
  const staff = Array.from({ length: STAFF }, (_, number) => new BenchFeed(`staff:s${number}`));
  const feeds = [...customers, ...staff];
  const allReady = () => Promise.all(feeds.map(({ ready }) => ready.promise));
  await measure('while they connect', () => {
    for (const feed of feeds) feed.connect();
    return allReady();
  });
  await measure('with feeds');
  await measure('while they come back', () => {
    for (const feed of feeds) feed.cut();
    return allReady();
  });
  const log = await complete(staff, 2 * Number(rate) * Number(secondsAPhase));
  const own = Map.groupBy(log, ({ customerId }) => customerId);
  for (const [number, feed] of customers.entries()) {
    const expected = own.get(orders[number]?.customerId as string)?.map(({ id }) => id) ?? [];
    const deadline = performance.now() + 60_000;
    while (feed.changes.length < expected.length && performance.now() < deadline) await wait(50);
    // It may have connected earlier than the first of the staff.
    const got = feed.changes.map(({ id }) => id).filter((id) => id >= (log[0]?.id as string));
    if (got.join() !== expected.join()) throw new Error(`feed ${number} got ${got}, not ${expected}`);
  }
  console.log(
    `every feed got each of its changes once, in order: ${log.length} changes, ${feeds.reduce((sum, { refusals }) => sum + refusals, 0)} connections again`,
  );
  for (const feed of feeds) feed.end();
  await wait(1000);
}
for (const phase of phases)
  console.log(
    `median p99 ${phase}: ${median(p99s.get(phase) as number[]).toFixed(1)} ms, ${(median(p99s.get(phase) as number[]) / median(p99s.get('without feeds') as number[])).toFixed(2)} times that without`,
  );
program.kill('SIGTERM');
await once(program, 'exit');
appender.disconnect();
node.disconnect();
console.log(`the store is left in ${directory}`);

/** Waits until all staff have all changes, and compares them. @returns the changes that all of them got */
async function complete(staff: readonly BenchFeed[], atLeast: number) {
  const deadline = performance.now() + 60_000;
  const lastOf = ({ changes }: BenchFeed) => changes.at(-1)?.id;
  const isComplete = () =>
    staff.every((feed) => feed.changes.length >= atLeast && lastOf(feed) === lastOf(staff[0] as BenchFeed));
  while (!isComplete() && performance.now() < deadline) await wait(100);
  const first = staff
    .map(({ changes }) => changes[0]?.id as string)
    .toSorted()
    .at(-1) as string;
  const lists = staff.map(({ changes }) => changes.filter(({ id }) => id >= first));
  const [log = []] = lists;
  for (const list of lists)
    if (list.map(({ id }) => id).join() !== log.map(({ id }) => id).join())
      throw new Error('staff got different changes');
  if (log.length < atLeast) throw new Error(`staff got ${log.length} changes of ${atLeast}`);
  return log;
}
