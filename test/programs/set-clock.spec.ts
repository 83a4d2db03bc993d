import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitUntil } from '#test/wait-until';
import { cli, serve } from './program.ts';

const DAY_MILLISECONDS = 86_400_000;

let temporary: string;
let clock: string;
let environment: Record<string, string>;

beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'leadger-set-clock-'));
  clock = join(temporary, 'clock');
  // As if somebody set the clock of the machine while the program runs: by as many milliseconds as the file says.
  const preload = join(temporary, 'clock.mjs');
  await writeFile(
    preload,
    `import { readFileSync } from 'node:fs';
    const real = Date.now;
    Date.now = () => real() + Number(readFileSync(${JSON.stringify(clock)}, 'utf8'));
    globalThis.Date = class extends Date { constructor(...given) { super(...(given.length ? given : [Date.now()])); } };`,
  );
  environment = { NODE_OPTIONS: `--import ${preload}` };
});
afterAll(() => rm(temporary, { recursive: true }));

const setClock = (milliseconds: number) => writeFile(clock, String(milliseconds));

function client(url: string) {
  const call = async (method: string, path: string, body?: object) => {
    const headers = { 'leadger-actor': 'staff:ann', 'leadger-reason': 'test' };
    const json = body && { body: JSON.stringify(body), headers: { ...headers, 'content-type': 'application/json' } };
    const response = await fetch(`${url}${path}`, { method, headers, ...json });
    // biome-ignore lint/suspicious/noExplicitAny: tests read answers as a client does, without our types
    const answer = (await response.json()) as any;
    if (!response.ok) throw new Error(JSON.stringify(answer));
    return answer;
  };
  const restarts = async (orderId: string) => {
    const { events } = await call('GET', `/api/orders/${orderId}/history`);
    return events.filter(({ type }: { type: string }) => type === 'OrderRestarted').length;
  };
  return { call, restarts, health: () => call('GET', '/health') };
}

async function pausedOrder(call: ReturnType<typeof client>['call']): Promise<string> {
  const customer = { storeId: 'main', businessAssociation: 'ABC Vitamins', timeZone: 'UTC' };
  const { customerId } = await call('POST', '/api/customers', customer);
  const order = { customerId, leadTypeId: 'exclusive-fresh', quantity: 5, paymentToken: 'tok_ok' };
  const { orderId } = await call('POST', '/api/orders', { ...order, loyalty: { cadence: 'weekly' } });
  await waitUntil(async () => (await call('GET', `/api/orders/${orderId}/history`)).state.status === 'open');
  await call('POST', `/api/orders/${orderId}/pause`);
  return orderId;
}

test('a program whose clock jumps by a week does what is due within a minute; set back, it says so, and does nothing twice', async () => {
  await setClock(0);
  const directory = join(temporary, 'store');
  const first = await serve(directory, environment);
  const { call, restarts, health } = client(first.url);
  let orderId = '';
  try {
    orderId = await pausedOrder(call);
    expect(await health()).toMatchObject({ status: 'green', clock: { behindSeconds: 0 } });
    await setClock(8 * DAY_MILLISECONDS);
    await waitUntil(async () => (await restarts(orderId)) > 0);

    await setClock(0);
    await waitUntil(async () => (await health()).clock.behindSeconds > 0);
    expect(await health()).toMatchObject({ status: 'yellow' });
    expect(first.program.stderr).toMatch(/the clock of the machine was set back by 69\d{4} seconds/);
    await pausedOrder(call);
  } finally {
    await first.program.stop();
  }

  const second = await serve(directory, environment);
  const again = client(second.url);
  try {
    expect(second.program.stderr).toMatch(/the clock of the machine is 69\d{4} seconds behind the last event/);
    expect(await again.health()).toMatchObject({ status: 'yellow' });
    await pausedOrder(again.call);
    await setClock(20 * DAY_MILLISECONDS);
    await waitUntil(async () => (await again.health()).clock.behindSeconds === 0);
    // A new event lets the processes look at once.
    await pausedOrder(again.call);
    await waitUntil(async () => (await again.health()).processes.idle);
    expect(await again.restarts(orderId)).toBe(1);
  } finally {
    await second.program.stop();
  }

  const { code, stdout } = await cli('verify', '--data', directory);
  expect([code, stdout]).toEqual([0, expect.stringContaining('all laws hold')]);
  expect(stdout).toMatch(
    /\d+ events were recorded while a clock stood behind what the log had seen, by 8 days at most/,
  );
  expect(stdout).toMatch(/\d+ events, .* to .*, stored .* to .*, behind by 8 days/);
  expect((await cli('copy', '--from', directory, '--to', join(temporary, 'copy'))).code).toBe(0);
  await cp(join(directory, 'keys'), join(temporary, 'copy', 'keys'), { recursive: true });
  const copied = JSON.parse((await cli('verify', '--json', '--data', join(temporary, 'copy'))).stdout);
  expect(copied.clocks.behind).toBeGreaterThan(0);
});
