// Reads per second of the standalone application with 100,000 orders: lists and details at 32 connections, pages far from
// the beginning, and the time from a command to a read that reflects it.
//   npm run build && npm run bench -- bench/reads.ts [orders] [DIR of a store that an earlier run made]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { inParallel, median, openOrders, openShop, perSecond } from './shop.ts';

const [orders = '100000', made] = process.argv.slice(2);
const TYPE = 'exclusive-fresh';
const CONNECTIONS = 32;
const REQUESTS = 10_000;
const ROUNDS = 3;
const EVENTS_A_SECOND = 500;
const SECONDS_OF_LAG = 20;
/** Warm-up, not measured: a new process still compiles its frequent code. */
const SECONDS_OF_WARMING_UP = 5;

const directory = made ?? mkdtempSync(join(tmpdir(), 'leadger-reads-'));
if (made === undefined) {
  const shop = await openShop({ directory });
  await openOrders(shop, TYPE, Number(orders));
  await shop.readModels.waitFor(await shop.events.head(), 3_600_000);
  await shop.close();
  console.error(`${orders} orders in ${directory}`);
}

const program = spawn(
  process.execPath,
  [
    '--max-semi-space-size=16',
    '--heap-growing-percent=30',
    'dist/programs/standalone.js',
    '--data',
    directory,
    '--port',
    '0',
  ],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
let said = '';
while (!/ready: (\S+)/.test(said)) said += (await once(program.stdout, 'data'))[0];
const url = /ready: (\S+)/.exec(said)?.[1] as string;

const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });

/** @returns milliseconds and the answer */
function ask(path: string): Promise<{ time: number; body: string }> {
  const start = performance.now();
  return new Promise((resolve, reject) => {
    get(`${url}${path}`, { agent }, async (reply) => {
      try {
        const body = (await reply.setEncoding('utf8').toArray()).join('');
        if (reply.statusCode !== 200) throw new Error(`${path}: ${reply.statusCode} ${body}`);
        resolve({ time: performance.now() - start, body });
      } catch (error) {
        reject(error);
      }
    }).on('error', reject);
  });
}

const percentile = (times: readonly number[], share: number): string =>
  `${(times.toSorted((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * share))] as number).toFixed(1)} ms`;
const resident = (): string =>
  `${Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${program.pid}/status`, 'utf8'))?.[1]) / 1000)} MB`;
const json = async (path: string) => JSON.parse((await ask(path)).body);

async function measure(name: string, pathOf: (number: number) => string): Promise<void> {
  const rates: number[] = [];
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = performance.now();
    await inParallel(REQUESTS, CONNECTIONS, async (number) => {
      times.push((await ask(pathOf(number))).time);
    });
    rates.push(REQUESTS / ((performance.now() - start) / 1000));
  }
  console.log(`${name}: ${perSecond(median(rates))}, p50 ${percentile(times, 0.5)}, p99 ${percentile(times, 0.99)}`);
}

// First wait until tables of an earlier version are rebuilt.
while (!(await json('/health')).readModels.every((model: { lagEvents: number }) => model.lagEvents === 0))
  await wait(1000);
console.log(`at rest: RSS ${resident()}`);
const some: { orderId: string; customerId: string }[] = [];
const cursors: string[] = [];
let cursor: string | undefined;
const PAGES = 1000;
for (let page = 0; page < PAGES; page += 1) {
  const { items, nextCursor } = await json(
    `/api/orders?limit=50${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`,
  );
  some.push(...items);
  if (!nextCursor) break;
  cursor = nextCursor as string;
  cursors.push(cursor);
}
const one = (number: number) => some[(number * 7919) % some.length] as (typeof some)[number];
await measure('details of an order', (number) => `/api/orders/${one(number).orderId}`);
await measure("a customer's orders", (number) => `/api/orders?customerId=${one(number).customerId}`);
await measure('page 1 of all orders, 50 each', () => '/api/orders?limit=50');
await measure(
  `page ${cursors.length + 1} of all orders`,
  () => `/api/orders?limit=50&cursor=${encodeURIComponent(cursors.at(-1) as string)}`,
);
await measure('pages of all orders, each another one', (number) => {
  const place = (number * 7919) % cursors.length;
  return `/api/orders?limit=50&cursor=${encodeURIComponent(cursors[place] as string)}`;
});
await measure('page 1 of open orders', () => '/api/orders?limit=50&status=open');
console.log(`after that: RSS ${resident()}`);

const lags: number[] = [];
const start = performance.now();
const secondsSoFar = () => (performance.now() - start) / 1000;
const writes: Promise<void>[] = [];
// A received lead that is delivered at once is three events.
for (; secondsSoFar() < SECONDS_OF_WARMING_UP + SECONDS_OF_LAG; await wait(3))
  while (writes.length < (secondsSoFar() * EVENTS_A_SECOND) / 3) writes.push(lagOf(writes.length));
await Promise.all(writes);
const { position } = (await json('/health')).store;
console.log(
  `lag, ${Math.round(lags.length / SECONDS_OF_LAG)} leads a second: p50 ${percentile(lags, 0.5)}, p99 ${percentile(lags, 0.99)}; log at ${position}`,
);
console.log(`at the end: RSS ${resident()}`);
program.kill('SIGTERM');
await once(program, 'exit');
console.log(`the store is left in ${directory}`);

/** Milliseconds from the answer to a command until a read that waits for its position is answered. */
async function lagOf(number: number): Promise<void> {
  const counts = secondsSoFar() > SECONDS_OF_WARMING_UP;
  const contact = { telephone: `+1${2_120_000_000 + number}`, firstName: 'Given' };
  const reply = await fetch(`${url}/api/leads`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ leadTypeId: TYPE, source: 'bench', contact }),
  });
  if (!reply.ok) throw new Error(await reply.text());
  const accepted = (await reply.json()) as { leadId: string; position: string };
  const { time } = await ask(`/api/leads/${accepted.leadId}?waitFor=${accepted.position}`);
  if (counts) lags.push(time);
}
