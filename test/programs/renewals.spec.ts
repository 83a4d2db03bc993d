import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addDays } from '#domain/kernel/instants';
import { waitUntil } from '#test/wait-until';
import { cli, serve } from './program.ts';

/* What an operator sees of a demo that is opened: at once, and after it stood still for weeks. */

/** One of its customers joins Loyalty Rewards. */
const demo = ['demo', '--days', '14', '--seed', '3'];

let temporary: string;
beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'leadger-renewals-'));
});
afterAll(() => rm(temporary, { recursive: true }));

interface Line {
  readonly type: string;
  readonly data: { readonly at: string; readonly dueAt?: string; readonly happenedAt?: string; readonly kind?: string };
}

async function run(data: string, ...command: string[]): Promise<string> {
  const { code, stdout, stderr } = await cli(...command, '--data', data);
  expect({ command, code, stderr: code === 0 ? '' : stderr }).toEqual({ command, code: 0, stderr: '' });
  return stdout;
}
const logOf = async (data: string): Promise<Line[]> =>
  (await run(data, 'export'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

/** Runs the store until its processes have done what is due. */
async function open(data: string): Promise<void> {
  const { program, url } = await serve(data);
  await waitUntil(async () => {
    const { ok, processes } = (await (await fetch(`${url}/health`)).json()) as {
      ok: boolean;
      processes?: { idle?: boolean };
    };
    return ok && processes?.idle !== false;
  });
  await program.stop();
}

test('the store of a demo ends today, and is opened without charging or writing to anybody', async () => {
  const data = join(temporary, 'today');
  await run(data, ...demo);
  const before = await logOf(data);
  const end = before.at(-1)?.data.at as string;
  expect(end > addDays(new Date().toISOString(), -1)).toBe(true);
  await open(data);
  const since = (await logOf(data)).slice(before.length);
  // The mail that lists the leads of an hour is due at its end, which may have come meanwhile.
  expect(since.filter(({ type, data }) => type === 'RenewalBegun' && (data.dueAt as string) <= end)).toEqual([]);
  expect(
    since.filter(
      ({ type, data }) => type === 'MailWished' && (data.happenedAt as string) < end && data.kind !== 'leads-delivered',
    ),
  ).toEqual([]);
});

test('LOY-10: a demo that is opened after weeks charges nobody; its operator lists and releases, and all laws hold', async () => {
  const data = join(temporary, 'weeks-ago');
  await run(data, ...demo, '--until', addDays(new Date().toISOString(), -40));
  const charges = async () => (await logOf(data)).filter(({ type }) => type === 'RenewalBegun').length;
  const before = await charges();
  const waiting = async () => JSON.parse(await run(data, 'renewals', '--json')).items as { orderId: string }[];
  const found = await waiting();
  expect(found).toHaveLength(1);
  expect(await charges()).toBe(before);
  const because = ['--reason', 'the disk was replaced'];
  const orderId = found[0]?.orderId as string;
  expect(await run(data, 'renewals', 'release', '--order', orderId, ...because)).toMatch(/^released: /);
  expect(await charges()).toBe(before + 1);
  expect(await waiting()).toEqual([]);
  expect(await run(data, 'renewals', 'skip', '--all', ...because)).toBe('skipped: 0 renewals; left as they are: 0\n');
  await run(data, 'verify');
});

test('the command says what is missing', async () => {
  const data = join(temporary, 'today');
  const { code, stderr } = await cli('renewals', 'release', '--reason', 'because', '--data', data);
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: 'leadger: say about which renewals: one of --all, --store, --order\n',
  });
});

test('commands of an operator charge nobody and write to nobody: that is left to the store, which knows its accounts', async () => {
  const data = join(temporary, 'left-to-the-store');
  const { program, url } = await serve(data, { STRIPE_SECRET_KEY: 'sk_test_of_nobody' });
  const ask = async (path: string, body: object) => {
    const headers = { 'content-type': 'application/json', 'leadger-actor': 'staff:ada' };
    const response = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    expect(response.status).toBe(201);
    return (await response.json()) as { customerId: string };
  };
  const customer = { storeId: 'main', businessAssociation: 'Acme', timeZone: 'UTC', email: 'ada@example.org' };
  const { customerId } = await ask('/api/customers', customer);
  const order = { customerId, leadTypeId: 'exclusive-fresh', quantity: 10, paymentToken: 'pm_card_visa' };
  await ask('/api/orders', order);
  await program.stop();
  const before = await logOf(data);
  await run(data, 'renewals');
  const since = (await logOf(data)).slice(before.length).map(({ type }) => type);
  for (const outside of ['PaymentDeclined', 'PaymentCaptured', 'MailSent']) expect(since).not.toContain(outside);
});
