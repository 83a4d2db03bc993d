import { type Server, startServer } from '#test/e2e/server';
import { SoftwarePasskey } from './passkey.ts';
import { addCustomer, addFactor, addMember, bearer, endTrial, keptMails, PASSWORD, signInto } from './staff.ts';

type Headers = Record<string, string>;

const why = { 'leadger-reason': 'lost the telephone, and named the last order' };
const EMAIL = 'lost@example.org';

let server: Server;
const mails = keptMails();
let administrator: Headers;
let support: Headers;
let customerId: string;
let own: Headers;
const key = new SoftwarePasskey({ url: 'http://localhost' });

const call = (method: string, path: string, body?: unknown, headers?: Headers) =>
  server.call(method, path, body, headers);
const outcomeOf = ({ status, body }: Awaited<ReturnType<typeof call>>) => (status < 300 ? status : body.code);

beforeAll(async () => {
  server = await startServer({ mails: mails.gateway, http: { edge: { publicUrl: 'http://localhost' } } });
  ({ customerId } = await addCustomer(server, mails, EMAIL));
  administrator = (await endTrial(server)).headers;
  support = (await addMember(server, administrator, mails, { email: 'sam@example.com', roles: ['support'] })).headers;
  own = bearer(await addFactor(server, EMAIL, await signInto(server, EMAIL)));
  const options = (await call('POST', '/api/factors/passkeys/options', undefined, own)).body;
  const passkey = { passkey: key.create(options), name: 'Telephone of Ada' };
  own = bearer((await call('POST', '/api/factors/passkeys', passkey, own)).body.token);
});
afterAll(() => server.stop());

const signInWith = async (passkey: SoftwarePasskey) => {
  const options = (await call('POST', '/api/sign-ins/passkey/options')).body;
  return call('POST', '/api/sign-ins/passkey', { passkey: passkey.get(options), token: true });
};
const reset = (headers: Headers, id = customerId) =>
  call('POST', `/api/customers/${id}/reset-factors`, undefined, headers);

/** What was recorded of factors, with what can be read of it. */
const ofFactors = (events: readonly { stream: string; type: string; data: { name?: unknown } }[]) =>
  events.filter(({ stream }) => stream === `factors-${customerId}`).map(({ type, data }) => [type, data.name]);
const added = (name: unknown) => [
  ['TotpOffered', undefined],
  ['TotpAdded', undefined],
  ['PasskeyAdded', name],
];
const SECRETS = ['credential', 'secret', 'codes'];

test('the whole history and the export of a customer say which factors there were, and no secret', async () => {
  const history = await call('GET', `/api/customers/${customerId}/whole-history`, undefined, { ...support, ...why });
  expect(ofFactors(history.body.items)).toEqual(added('Telephone of Ada'));
  const exported = await call('POST', '/api/persons/exports', { person: { customerId } }, { ...support, ...why });
  const { history: events } = exported.body.asCustomer[0];
  expect(ofFactors(events)).toEqual(added('Telephone of Ada'));
  const values = events.flatMap(({ data }: { data: object }) =>
    Object.entries(data).filter(([name]) => SECRETS.includes(name)),
  );
  expect(JSON.stringify(values)).not.toContain(key.id.toString('base64url'));
  for (const [name, value] of values) if (name !== 'codes') expect(value).toEqual({ secret: true });
});

test('support with a reason takes away the factors of a customer who lost them: recorded, and told by mail', async () => {
  expect(outcomeOf(await reset(own))).toBe('support-only');
  expect(outcomeOf(await reset(support))).toBe('reason-missing');
  expect(outcomeOf(await reset({ ...support, ...why }, 'nobody'))).toBe('customer-unknown');
  expect(outcomeOf(await reset({ ...support, ...why }))).toBe(200);
  expect(outcomeOf(await call('GET', '/api/sessions', undefined, own))).toBe('token-ended');
  expect(outcomeOf(await signInWith(key))).toBe('sign-in-failed');
  await server.settle();
  expect(mails.newestTo(EMAIL)).toContain('Your second factors were reset by the staff of the store');
  own = bearer(await signInto(server, EMAIL));
  expect((await call('GET', '/api/factors', undefined, own)).body).toMatchObject({ factors: [], required: false });
  const { items } = (await call('GET', `/api/customers/${customerId}/whole-history`, undefined, { ...support, ...why }))
    .body;
  const resets = items.filter(({ type }: { type: string }) => type === 'FactorsReset');
  expect(resets).toMatchObject([{ reason: why['leadger-reason'], actor: expect.stringMatching(/^staff:/) }]);
});

test('an administrator does not reset the factors of a customer, nor support those of a member', async () => {
  const { items } = (await call('GET', '/api/staff-members', undefined, administrator)).body;
  const both = { ...administrator, ...why };
  expect(outcomeOf(await reset(both, items[1].memberId))).toBe('customer-unknown');
  await addFactor(server, EMAIL, own.authorization?.slice(7) ?? '');
  const path = `/api/staff-members/${customerId}/reset-factors`;
  expect(outcomeOf(await call('POST', path, undefined, both))).toBe('staff-member-unknown');
});

test('an erasure forgets the factors: nothing of them is shown, and none signs in', async () => {
  own = bearer(await signInto(server, EMAIL));
  const passkey = new SoftwarePasskey({ url: 'http://localhost' });
  const options = (await call('POST', '/api/factors/passkeys/options', undefined, own)).body;
  const body = { passkey: passkey.create(options), name: 'Watch of Ada' };
  expect(outcomeOf(await call('POST', '/api/factors/passkeys', body, own))).toBe(200);
  expect(outcomeOf(await signInWith(passkey))).toBe(200);
  const by = { ...support, ...why };
  expect(outcomeOf(await call('POST', '/api/persons/erasures', { person: { customerId } }, by))).toBe(200);
  const later = await signInWith(passkey);
  expect([
    outcomeOf(later),
    outcomeOf(await call('POST', '/api/sign-ins', { email: EMAIL, password: PASSWORD })),
  ]).toEqual(['sign-in-failed', 'sign-in-failed']);
  const { items } = (await call('GET', `/api/customers/${customerId}/whole-history`, undefined, by)).body;
  const names = items.flatMap(({ type, data }: { type: string; data: { name?: unknown } }) =>
    type === 'PasskeyAdded' ? [data.name] : [],
  );
  expect(names).toEqual([{ erased: true }, { erased: true }]);
});
