import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServer } from '#test/e2e/server';
import { cli } from './program.ts';

const STAFF = { 'leadger-actor': 'staff:ann', 'leadger-reason': 'asked by telephone' };
/** Looks like the next event and its sentence. */
const FORGED =
  'number works\n   2  2026-11-29T11:05:00.000Z  ChargebackGranted     staff:bob\n      chargeback granted: mistake';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'leadger-timeline-spec-'));
});
afterAll(() => rm(directory, { recursive: true }));

/** @returns the id of a return that was denied with this explanation */
async function denied(explanation: string): Promise<string> {
  const server = await startServer({ directory });
  const ask = async (path: string, body: object) => {
    const reply = await server.call('POST', path, body, STAFF);
    if (reply.status >= 300) throw new Error(`${path} was answered ${reply.status}: ${reply.text}`);
    await server.settle();
    return reply.body;
  };
  try {
    const customer = { storeId: 'main', businessAssociation: 'ABC Vitamins', timeZone: 'UTC' };
    const { customerId } = await ask('/api/customers', { ...customer, email: 'ada@example.org' });
    const leadTypeId = 'exclusive-fresh';
    const { orderId } = await ask('/api/orders', { customerId, leadTypeId, quantity: 1, paymentToken: 'tok_ok' });
    const contact = { telephone: '+1 212 555 0141' };
    const { leadId } = await ask('/api/leads', { leadTypeId, source: 'fair', contact });
    const { replacementId } = await ask('/api/replacements', { orderId, leadId, reason: 'wrong number' });
    await ask(`/api/replacements/${replacementId}/deny`, { explanation });
    return replacementId;
  } finally {
    await server.stop();
  }
}

test('leadger timeline prints a text of several lines on one line, so that no text looks like an event', async () => {
  const id = await denied(FORGED);
  const { code, stdout } = await cli('timeline', 'replacement', id, '--data', directory);
  expect(code).toBe(0);
  expect(stdout.match(/^ +\d+ {2}\S+Z {2}\S+/gm)).toEqual([
    expect.stringMatching(/^ +0 .* ReplacementRequested$/),
    expect.stringMatching(/^ +1 .* ChargebackDenied$/),
  ]);
  expect(stdout).toContain(`      chargeback denied: ${FORGED.replaceAll('\n', '⏎')}\n      because: asked`);
  // As a field of the state, too.
  expect(stdout).not.toMatch(/^ +chargeback granted/m);
});

test('POL-2: leadger timeline says who published which version of the policy, why, and what it changed', async () => {
  const store = await mkdtemp(join(tmpdir(), 'leadger-timeline-spec-'));
  const server = await startServer({ directory: store });
  const changes = { returnWindowDays: 9, sharedPersonDays: 90 };
  const reply = await server.call('POST', '/api/policy/versions', { changes }, { ...STAFF, 'if-match': '"0"' });
  const lead = { leadTypeId: 'exclusive-fresh', source: 'fair', contact: { telephone: '+1 212 555 0141' } };
  const { leadId } = (await server.call('POST', '/api/leads', lead)).body;
  await server.stop();
  expect(reply.status).toBe(201);
  const { stdout } = await cli('timeline', 'policy', 'main', '--data', store);
  const decided = await cli('decisions', '2', '--data', store);
  const unknown = await cli('decisions', '3', '--data', store);
  await rm(store, { recursive: true });
  expect(stdout).toMatch(
    /PolicyPublished +staff:ann\n +policy 2 by staff:ann, from \S+: changes sharedPersonDays, return/,
  );
  expect(stdout).toContain(
    '\n      sharedPersonDays: none → 90\n      returnWindowDays: 5 → 9\n      because: asked by telephone\n',
  );
  expect(decided).toMatchObject({ code: 0, stderr: '' });
  expect(decided.stdout).toMatch(new RegExp(`Z  LeadReceived  lead-${leadId}@0  staff:local\n\nLeadReceived: 1\n$`));
  expect(unknown).toMatchObject({ code: 1, stdout: '', stderr: 'leadger: there is no version 3 of the policy\n' });
});
