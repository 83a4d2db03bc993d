import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signatureOf } from '#gateways/webhooks';
import { freePort } from '#test/free-port';
import { waitUntil } from '#test/wait-until';
import { serve } from './program.ts';

/* The receiver of docs/how-to/receive-leads.md, as it stands there, with a store that sends it leads. */

const guide = await readFile(join(import.meta.dirname, '../../docs/how-to/receive-leads.md'), 'utf8');
const blocksOf = (language: string): string[] =>
  [...guide.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\n\`\`\``, 'gs'))].map(([, block]) => block as string);

let temporary: string;
let file: string;
const started: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'leadger-receiver-'));
  file = join(temporary, 'leads.ndjson');
  await writeFile(join(temporary, 'receiver.mjs'), blocksOf('js')[0] as string);
});
afterEach(async () => {
  for (const stop of started.splice(0)) await stop();
});
afterAll(() => rm(temporary, { recursive: true }));

/** Runs the example on a port. */
async function receive(port: number, signingSecret: string): Promise<void> {
  const env = { SIGNING_SECRET: signingSecret, RECEIVER_PORT: String(port), LEADS_FILE: file };
  const child = spawn(process.execPath, [join(temporary, 'receiver.mjs')], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  started.push(async () => {
    child.kill();
    await once(child, 'close');
  });
  await once(child.stdout, 'data');
}

const kept = async (): Promise<Record<string, unknown>[]> =>
  (await readFile(file, 'utf8').catch(() => ''))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

async function startStore(name: string, environment: Record<string, string>) {
  const { program, url } = await serve(join(temporary, name), environment);
  started.push(() => program.stop());
  const ask = async (method: string, path: string, body?: object, actor = 'staff:local') => {
    const headers = { 'leadger-actor': actor, ...(body && { 'content-type': 'application/json' }) };
    const reply = await fetch(url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    const answer = (await reply.json()) as Record<string, never>;
    expect({ path, status: reply.status, answer: reply.ok ? '' : answer }).toEqual({
      path,
      status: expect.any(Number),
      answer: '',
    });
    return answer as Record<string, string>;
  };
  return { program, ask };
}

type Ask = Awaited<ReturnType<typeof startStore>>['ask'];

/** A customer with an open order, whose leads go to a port of this machine. @returns the customer, and the secret */
async function customerOf(ask: Ask, port: number) {
  const customer = { storeId: 'main', businessAssociation: 'ABC Vitamins', timeZone: 'America/New_York' };
  const { customerId } = await ask('POST', '/api/customers', { ...customer, email: 'pat.buyer@example.org' });
  const path = `/api/customers/${customerId}/lead-delivery`;
  await ask('PUT', path, { mails: 'digest', webhookUrl: `http://127.0.0.1:${port}/leads` }, `customer:${customerId}`);
  const order = { customerId, leadTypeId: 'exclusive-fresh', quantity: 25, paymentToken: 'tok_ok' };
  await ask('POST', '/api/orders', order);
  const { signingSecret } = await ask('GET', path, undefined, `customer:${customerId}`);
  return { customerId: customerId as string, signingSecret: signingSecret as string };
}

const lead = {
  leadTypeId: 'exclusive-fresh',
  source: 'fair',
  contact: { firstName: 'Pat', lastName: 'Example', telephone: '+1 212 555 0143', email: 'pat@example.org' },
};

test('the receiver of the guide gets a lead from a store on this machine, and takes nothing else', async () => {
  const port = await freePort();
  const { program, ask } = await startStore('open', { LEADGER_WEBHOOKS_TO_THIS_MACHINE: 'yes' });
  expect(program.stderr).toContain('leadger: webhooks may call programs on this machine: for development only\n');
  const { customerId, signingSecret } = await customerOf(ask, port);
  await receive(port, signingSecret);
  await ask('POST', '/api/leads', lead);
  await waitUntil(async () => (await kept()).length > 0);
  const [{ id, ...message }] = (await kept()) as [{ id: string }];
  const shown = JSON.parse(blocksOf('json')[0] as string) as { data: object };
  expect(message).toMatchObject({ type: 'lead.delivered', data: { contact: lead.contact } });
  expect(Object.keys(message)).toEqual(Object.keys(shown));
  expect(Object.keys((message as typeof shown).data)).toEqual(Object.keys(shown.data));
  await waitUntil(async () => {
    const { items } = (await ask('GET', `/api/webhooks?customerId=${customerId}`)) as unknown as { items: object[] };
    return items.some((one) => (one as { status: string }).status === 'accepted');
  });

  const url = `http://127.0.0.1:${port}/leads`;
  const body = JSON.stringify(message);
  const send = async (at: Date, sent: { id?: string; body?: string; secret?: string }) => {
    const signed = { signingSecret: sent.secret ?? signingSecret, id, at, body };
    const headers = {
      'webhook-id': sent.id ?? id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': `v1a,bm90IG91cnM= ${signatureOf(signed)}`,
    };
    return (await fetch(url, { method: 'POST', headers, body: sent.body ?? body })).status;
  };
  const now = new Date();
  expect(await send(now, {})).toBe(204);
  expect(await send(now, { body: body.replace('Pat', 'Eve') })).toBe(401);
  expect(await send(now, { id: 'another' })).toBe(401);
  expect(await send(now, { secret: 'whsec_c2VjcmV0IHNlY3JldA==' })).toBe(401);
  expect(await send(new Date(now.getTime() - 3_600_000), {})).toBe(401);
  expect(await send(new Date(now.getTime() + 3_600_000), {})).toBe(401);
  expect((await fetch(url, { method: 'POST', body })).status).toBe(401);
  expect((await fetch(url)).status).toBe(405);
  expect(await kept()).toHaveLength(1);
});

/** It says more of the person than that: the address on the Internet, and whatever the page has in its address. */
const consent = {
  text: 'I, the person of this form, agree to be called.',
  at: '2026-03-01T09:29:58.000Z',
  page: 'https://leads.example/form?visitor=pat',
  ip: '203.0.113.7',
};

test('the receiver of the guide forgets all of a person who must not be contacted any more, whatever comes later', async () => {
  const port = await freePort();
  const { ask } = await startStore('suppressed', { LEADGER_WEBHOOKS_TO_THIS_MACHINE: 'yes' });
  const { signingSecret } = await customerOf(ask, port);
  file = join(temporary, 'suppressed.ndjson');
  await receive(port, signingSecret);
  const { leadId } = await ask('POST', '/api/leads', { ...lead, consent });
  await waitUntil(async () => (await kept()).length > 0);
  expect(await readFile(file, 'utf8')).toContain(consent.ip);
  const [{ id: _, ...delivered }] = (await kept()) as [{ id: string }];
  await ask('POST', '/api/suppressions', { person: { telephone: lead.contact.telephone } });
  await waitUntil(async () => !(await readFile(file, 'utf8')).includes('Pat'));
  const shown = JSON.parse(blocksOf('json')[1] as string) as { data: object };
  const told = (await kept()).find(({ type }) => type === 'lead.suppressed') as { data: object };
  expect(told).toMatchObject({ data: { leadId, suppression: 'opt-out' } });
  expect(Object.keys(told.data)).toEqual(Object.keys(shown.data));

  // The message about the lead itself was late, and the receiver was started again meanwhile.
  await started.pop()?.();
  await receive(port, signingSecret);
  const [id, at, body] = ['late', new Date(), JSON.stringify(delivered)];
  const headers = {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': signatureOf({ signingSecret, id, at, body }),
  };
  expect((await fetch(`http://127.0.0.1:${port}/leads`, { method: 'POST', headers, body })).status).toBe(204);
  expect((await kept()).map(({ type }) => type)).toEqual(['lead.delivered', 'lead.suppressed', 'lead.delivered']);
  expect(await readFile(file, 'utf8')).not.toMatch(/pat|555\W*0143|consent|person of this form|203\.0/i);
  for (const { type, data } of await kept())
    if (type === 'lead.delivered')
      expect(Object.keys(data as object)).toEqual(['leadId', 'orderId', 'leadTypeId', 'deliveredAt']);
});

test('the receiver of the guide keeps a message again whose write failed, and starts with what a power cut left', async () => {
  const port = await freePort();
  const signingSecret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
  const folder = join(temporary, 'not there yet');
  file = join(folder, 'leads.ndjson');
  const send = async (id: string) => {
    const [at, body] = [new Date(), JSON.stringify({ type: 'lead.delivered', data: { leadId: id } })];
    const headers = {
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': signatureOf({ signingSecret, id, at, body }),
    };
    return (await fetch(`http://127.0.0.1:${port}/leads`, { method: 'POST', headers, body })).status;
  };
  await receive(port, signingSecret);
  expect(await send('first')).toBe(500);
  await mkdir(folder);
  expect(await send('first')).toBe(204);
  for (const next of ['second', 'third']) {
    // What is left of a write that failed, once to a receiver that runs, and once to one that starts.
    await appendFile(file, `{"id":"${next}","ty`);
    if (next === 'third') {
      await started.pop()?.();
      await receive(port, signingSecret);
    }
    expect(await send(next)).toBe(204);
  }
  expect(await send('second')).toBe(204);
  expect((await kept()).map(({ id }) => id)).toEqual(['first', 'second', 'third']);
});

test('without the switch no lead leaves for this machine: its address is refused, and for one of before the message is parked', async () => {
  const port = await freePort();
  const before = await startStore('closed', { LEADGER_WEBHOOKS_TO_THIS_MACHINE: 'yes' });
  const { customerId } = await customerOf(before.ask, port);
  await started.pop()?.();
  const { ask } = await startStore('closed', {});
  const path = `/api/customers/${customerId}/lead-delivery`;
  const chosen = { mails: 'digest', webhookUrl: `http://127.0.0.1:${port}/others` };
  await expect(ask('PUT', path, chosen, `customer:${customerId}`)).rejects.toThrow('webhook-address-private');
  await ask('POST', '/api/leads', lead);
  let items: { status: string; lastError: string }[] = [];
  await waitUntil(async () => {
    ({ items } = (await ask('GET', `/api/webhooks?customerId=${customerId}`)) as unknown as { items: typeof items });
    return items[0]?.status === 'parked';
  });
  expect(items[0]?.lastError).toContain('public Internet');
});
