import { addDays } from '#domain/kernel/instants';
import type { EventStore } from '#event-store/port';
import { type Server, startServer } from '#test/e2e/server';
import { EVENT_STORE } from '#wiring/tokens';
import { addCustomer, addMember, bearer, endTrial, keptMails, signInto } from './staff.ts';

type Headers = Record<string, string>;

let server: Server;
const mails = keptMails();
let [ada, bob, customer]: Headers[] = [];
let customerId: string;
const why = { 'leadger-reason': 'letter 17' };

beforeAll(async () => {
  server = await startServer({ mails: mails.gateway });
  ({ customerId } = await addCustomer(server, mails, 'person@example.org'));
  const { headers } = await endTrial(server);
  ada = { ...headers, ...why };
  bob = {
    ...(await addMember(server, headers, mails, { email: 'bob@example.com', roles: ['support'] })).headers,
    ...why,
  };
  customer = bearer(await signInto(server, 'person@example.org'));
  const etag = (await server.call('GET', '/api/policy')).headers.get('etag') as string;
  const changes = { twoMembersForPersons: true };
  await server.call('POST', '/api/policy/versions', { changes }, { ...headers, 'if-match': etag });
});
afterAll(() => server.stop());

const ask = (
  act: string,
  by: Headers | undefined,
  more: object = {},
  person: object = { email: 'person@example.org' },
) => server.call('POST', `/api/persons/${act}`, { person, ...more }, by);
const codeOf = async (...request: Parameters<typeof ask>) => (await ask(...request)).body.code;
async function recorded(type: string) {
  const events: { type: string; data: Record<string, unknown> }[] = [];
  for await (const event of server.application.get<EventStore>(EVENT_STORE).readAll())
    if (event.type === type) events.push({ type, data: JSON.parse(new TextDecoder().decode(event.data)) });
  return events;
}

describe('where the policy wants two members of staff for a person', () => {
  test('one asks, another one approves, and it is recorded who and who, and why', async () => {
    const first = await ask('exports', ada);
    expect([first.status, Object.keys(first.body).sort()]).toEqual([202, ['approvalId', 'expiresAt', 'requestedBy']]);
    const { approvalId } = first.body;
    const { items } = (await server.call('GET', '/api/attention?reason=approval-waiting', undefined, bob)).body;
    expect(items).toMatchObject([
      { attentionId: `approval-waiting/${approvalId}`, why: expect.stringContaining('staff:') },
    ]);
    expect(JSON.stringify(items)).not.toContain('person@example.org');
    const second = await ask('exports', bob, { approvalId });
    expect([second.status, second.body.asCustomer]).toMatchObject([200, [{ customerId }]]);
    const [given] = await recorded('ApprovalGiven');
    expect(given?.data).toMatchObject({ act: 'export', requestedBy: first.body.requestedBy });
    expect(given?.data.approvedBy).not.toBe(given?.data.requestedBy);
    expect(JSON.stringify([await recorded('ApprovalRequested'), given])).not.toContain('person@example.org');
  });

  test('nobody is enough alone, and nothing is done', async () => {
    const { approvalId } = (await ask('erasures', ada)).body;
    expect((await ask('erasures', ada)).body.approvalId).toBe(approvalId);
    expect(await codeOf('erasures', ada, { approvalId })).toBe('second-member-needed');
    expect(await codeOf('erasures', bob, { approvalId }, { customerId })).toBe('approval-for-another');
    expect(await codeOf('exports', bob, { approvalId })).toBe('approval-for-another');
    expect(await codeOf('erasures', bob, { approvalId: 'another' })).toBe('approval-unknown');
    expect(await codeOf('erasures', customer, { approvalId })).toBe('support-only');
    expect(await recorded('PersonErased')).toEqual([]);
  });

  test('the key of a program is no member', async () => {
    const key = { name: 'tool', roles: ['support'], stores: 'all', expiresAt: addDays(server.clock.now(), 90) };
    const { token } = (await server.call('POST', '/api/api-keys', key, ada)).body;
    const program = { ...bearer(token), ...why };
    const { approvalId } = (await ask('erasures', bob)).body;
    expect(await codeOf('erasures', program)).toBe('two-members-needed');
    expect(await codeOf('erasures', program, { approvalId })).toBe('two-members-needed');
  });

  test('SUP-2: whoever lost the role is none of the two any more', async () => {
    const cai = await addMember(server, ada as Headers, mails, { email: 'cai@example.com', roles: ['support'] });
    const person = { email: 'reported@example.org' };
    const { approvalId } = (await ask('erasures', { ...cai.headers, ...why }, {}, person)).body;
    const waiting = async () =>
      (await server.call('GET', '/api/attention?reason=approval-waiting', undefined, bob)).text.includes(approvalId);
    expect(await waiting()).toBe(true);
    const roles = { roles: ['verifier'], stores: 'all' };
    await server.call('PUT', `/api/staff-members/${cai.memberId}/roles`, roles, ada);
    expect(await codeOf('erasures', bob, { approvalId }, person)).toBe('asker-without-role');
    expect(await waiting()).toBe(false);
  });

  test('an idempotency key is for one person', async () => {
    const [one, other] = [{ email: 'one@example.org' }, { email: 'other@example.org' }];
    const keyed = { ...ada, 'idempotency-key': 'k9' };
    const first = (await ask('exports', keyed, {}, one)).body;
    expect(await codeOf('exports', keyed, {}, other)).toBe('key-reused');
    expect((await ask('exports', keyed, {}, one)).body).toEqual(first);
  });

  test('what was approved is carried out, and the second member may send it again', async () => {
    const asked = (await ask('erasures', ada)).body;
    const [requester, approver] = [ada, bob];
    expect((await ask('erasures', approver, { approvalId: asked.approvalId })).body).toEqual({
      customers: 1,
      leads: 0,
    });
    expect((await ask('erasures', approver, { approvalId: asked.approvalId })).status).toBe(200);
    expect(await codeOf('erasures', requester, { approvalId: asked.approvalId })).toBe('second-member-needed');
    expect(await recorded('PersonErased')).not.toEqual([]);
    const done = (await recorded('ApprovalCarriedOut')).filter(({ data }) => data.act === 'erasure');
    expect(done.map(({ data }) => data.approvalId)).toEqual([asked.approvalId]);
  });

  test('a request that waited for a week has expired', async () => {
    const person = { email: 'late@example.org' };
    const { approvalId } = (await ask('erasures', ada, {}, person)).body;
    server.clock.moveTo(addDays(server.clock.now(), 7));
    const again = { ...bearer(await signInto(server, 'bob@example.com')), ...why };
    expect(await codeOf('erasures', again, { approvalId }, person)).toBe('approval-unknown');
  });
});
