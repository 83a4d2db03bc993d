import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addDays } from '#domain/kernel/instants';
import { startServer } from '#test/e2e/server';
import { waitUntil } from '#test/wait-until';
import { cli, Program, serve } from './program.ts';

/** Later than the machine's clock: the copy begins at the instant of the store's own clock. */
const START = '2091-03-02T15:00:00.000Z';
const STAFF = { 'leadger-actor': 'staff:ann', 'leadger-reason': 'asked by telephone' };

let temporary: string;
let directory: string;
/** Ids of the orders, tickets and so on that something will happen to. */
const ids: Record<string, string> = {};

beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'leadger-clock-spec-'));
  directory = join(temporary, 'store');
  await liveThroughADay(directory);
});
afterAll(() => rm(temporary, { recursive: true }));

/** Makes a store with one example of each thing that happens without a request. */
async function liveThroughADay(place: string): Promise<void> {
  const server = await startServer({ directory: place, start: START });
  const ask = async (path: string, body?: object, headers = {}, method = 'POST'): Promise<string> => {
    const reply = await server.call(method, path, body, headers);
    if (reply.status >= 300) throw new Error(`${path} was answered ${reply.status}: ${reply.text}`);
    await server.settle();
    return Object.entries<string>(reply.body).find(([name]) => name.endsWith('Id'))?.[1] as string;
  };
  try {
    const customer = { storeId: 'main', businessAssociation: 'ABC Vitamins', timeZone: 'America/New_York' };
    const customerId = await ask('/api/customers', { ...customer, email: 'ada@example.org' });
    const order = { customerId, leadTypeId: 'exclusive-fresh', quantity: 1, paymentToken: 'tok_ok' };
    const weekly = { ...order, loyalty: { cadence: 'weekly' } };
    ids.served = await ask('/api/orders', weekly);
    const leadId = await ask('/api/leads', lead('exclusive-fresh', 1));
    ids.paused = await ask('/api/orders', weekly);
    ids.declined = await ask('/api/orders', weekly);
    await ask(`/api/orders/${ids.served}/payment-card`, { paymentToken: 'pm_1RkBdH2eZvKYlo2C' }, STAFF, 'PUT');
    await ask(`/api/orders/${ids.declined}/payment-card`, { paymentToken: 'tok_declined_expired_card' }, STAFF, 'PUT');
    await ask(`/api/orders/${ids.paused}/pause`);
    ids.return = await ask('/api/replacements', { orderId: ids.served, leadId, reason: 'wrong number' });
    ids.ticket = await ask('/api/tickets', { customerId, subject: 'Nothing came', message: 'Since Monday.' }, STAFF);
    ids.checkout = await ask('/api/checkouts', { customerId, leadTypeId: 'exclusive-fresh', quantity: 2 });
    ids.stock = await ask('/api/leads', lead('exclusive-real-time', 2));
    const program = { mails: 'digest', webhookUrl: 'https://crm.example/leads' };
    await server.call('PUT', `/api/customers/${customerId}/lead-delivery`, program, STAFF);
  } finally {
    await server.stop();
  }
}

const lead = (leadTypeId: string, person: number) => ({
  leadTypeId,
  source: 'fair',
  contact: { telephone: `+1 212 555 014${person}` },
});

/** The hash of each file's content. Without `-shm` files, in which SQLite's readers note what they read. */
async function filesIn(place: string): Promise<Record<string, string>> {
  const names = (await readdir(place, { recursive: true })).sort();
  const hashes: Record<string, string> = {};
  for (const name of names) {
    const path = join(place, name);
    if (!name.endsWith('-shm') && (await stat(path)).isFile())
      hashes[name] = createHash('sha256')
        .update(await readFile(path))
        .digest('hex');
  }
  return hashes;
}

const lookAhead = async (...parameters: string[]) => {
  const { code, stdout, stderr } = await cli('--data', directory, 'clock', '--json', ...parameters);
  expect(code).toBe(0);
  expect(stderr).toMatch(/^leadger: [1-9][\d,]* events copied$/m);
  const place = /the copy is in (\S+) until/.exec(stderr)?.[1] as string;
  return { outlook: JSON.parse(stdout), place };
};
const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

test('leadger clock shows what will happen without a request, and changes no byte of the store', async () => {
  const before = await filesIn(directory);
  const { outlook, place } = await lookAhead('--days', '15');
  expect(await filesIn(directory)).toEqual(before);
  expect(await exists(place)).toBe(false);

  expect([outlook.from, outlook.to]).toEqual([START, addDays(START, 15)]);
  const happens = (type: string, stream: string) =>
    outlook.events.flatMap((event: { type: string; stream: string; at: string }) =>
      event.type === type && event.stream === stream ? [event.at] : [],
    );
  expect(happens('CheckoutAbandoned', `checkout-${ids.checkout}`)).toEqual([addDays(START, 1)]);
  // Two business days after a Friday.
  expect(happens('TicketOverdue', `ticket-${ids.ticket}`)).toEqual([addDays(START, 4)]);
  expect(happens('LeadAged', `lead-${ids.stock}`)).toEqual([addDays(START, 1)]);
  expect(happens('RenewalPaid', `programme-${ids.served}`)).toEqual([addDays(START, 7), addDays(START, 14)]);
  expect(happens('OrderRestarted', `order-${ids.paused}`)).toEqual([addDays(START, 7)]);
  expect(happens('RenewalDeclined', `programme-${ids.declined}`)[0]).toBe(addDays(START, 7));
  expect(happens('VerificationOverdue', `replacement-${ids.return}`)).toEqual([addDays(START, 7)]);
  expect(outlook.counts).toMatchObject({ RenewalAnnounced: 5, VerificationOverdue: 1 });
  expect(outlook.mails).toMatchObject({ 'renewal-done': 4, 'order-restarted': 1 });
  // A real call would have failed, because no host has this name.
  expect(outlook.counts.WebhookAccepted).toBeGreaterThan(0);
  expect(outlook.counts.WebhookFailed).toBeUndefined();
  expect(outlook.parked).toEqual([]);

  // A second call shows the same, and an instant works like a number of days.
  expect((await lookAhead('--to', addDays(START, 15))).outlook).toEqual(outlook);
});

test('leadger clock prints the events day by day, and their counts at the end', async () => {
  const { code, stdout } = await cli('--data', directory, 'clock', '--days', '7');
  expect(code).toBe(0);
  expect(stdout).toContain('every charge is captured, except with the tokens of the sandbox that decline');
  const days = stdout.match(/^\d{4}-\d\d-\d\d$/gm);
  expect(days).toEqual([...new Set(days)].sort());
  expect(stdout).toContain(`  15:00:00.000Z  CheckoutAbandoned  `);
  expect(stdout).toMatch(/renewal 1: 6\.00 USD paid \(assumed_.*\); the next is due 2091-03-16T15:00:00\.000Z/);
  expect(stdout).toMatch(/^ +2 {2}RenewalPaid$/m);
  expect(stdout).toMatch(/^mails that are sent\n(.*\n)* +1 {2}order-restarted$/m);
});

test('the copy of a leadger clock that was killed is removed by the next command', async () => {
  const killed = new Program('cli', ['--data', directory, 'clock', '--days', '3000']);
  const said = () => /the copy is in (\S+) until/.exec(killed.stderr);
  await waitUntil(said);
  const place = said()?.[1] as string;
  await waitUntil(() => exists(join(place, 'keys', 'keys.sqlite')));
  await killed.kill();
  expect(await exists(place)).toBe(true);
  expect((await cli('--data', directory, 'verify')).code).toBe(0);
  expect(await exists(place)).toBe(false);
});

test('leadger clock does not disturb a store that is running', async () => {
  const running = join(temporary, 'running');
  const { program, url } = await serve(running);
  try {
    const register = async () => {
      const body = JSON.stringify({ storeId: 'main', businessAssociation: 'ABC Vitamins', timeZone: 'UTC' });
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(`${url}/api/customers`, { method: 'POST', headers, body });
      return response.json() as Promise<{ position: string }>;
    };
    const { position } = await register();
    const { code, stdout } = await cli('--data', running, 'clock', '--days', '30');
    expect([code, stdout]).toEqual([0, expect.stringContaining('nothing happens')]);
    expect(Number((await register()).position)).toBe(Number(position) + 1);
  } finally {
    await program.stop();
  }
});

test('leadger clock removes its copy when a signal ends it', async () => {
  const program = new Program('cli', ['--data', directory, 'clock', '--days', '36500']);
  while (!program.stderr.includes('until this command ends'))
    await once(program.process.stderr as NodeJS.ReadableStream, 'data');
  const place = /the copy is in (\S+) until/.exec(program.stderr)?.[1] as string;
  expect(await exists(place)).toBe(true);
  expect(await program.stop()).toMatchObject({ code: null, stdout: '' });
  expect(await exists(place)).toBe(false);
});

test.each([
  [[], 'clock needs to know how far to move the clock: add --days or --to'],
  [['--days', '0'], '--days 0 is not 1 to 36500'],
  [['--days', '36501'], '--days 36501 is not 1 to 36500'],
  [['--to', '2091-03-02T10:00:00-05:00'], `is not ahead: the clock is at ${START}`],
  [['--to', 'tomorrow'], '--to tomorrow is not an instant with a zone'],
  [['--to', '2091-04-01T00:00:00Z', '--days', '3'], "'--days <number>' cannot be used with option '--to <instant>'"],
])('%j is refused: %s', async (parameters, reason) => {
  const { code, stdout, stderr } = await cli('--data', directory, 'clock', ...parameters);
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toContain(reason);
});

test('leadger clock makes no store where there is none', async () => {
  const nowhere = join(temporary, 'nowhere');
  const { code, stderr } = await cli('--data', nowhere, 'clock', '--days', '1');
  expect([code, stderr]).toEqual([1, expect.stringContaining(`there is no store in ${nowhere}`)]);
  expect(await exists(nowhere)).toBe(false);
});
