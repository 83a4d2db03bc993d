import { type Caller, staffRoles, trialCaller } from '#domain/kernel/caller';
import { deriveId } from '#domain/kernel/ids';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import { BEFORE_FIRST, type EventStore, type Position } from '#event-store/port';
import { MovedClock } from '#gateways/clock';
import { noNotices } from '#gateways/payment-notices';
import type { ReadModels } from '#read-models/read-models';
import { openSessions } from '#sessions/session-store';
import { waitUntil } from '#test/wait-until';
import { openVault } from '#vault/key-vault';
import type { Vault } from '#vault/vault';
import { type AddressedRequest, CheckedSubjects, type Subjects, subjectsOver } from './checked-subjects.ts';
import { CommandHandler } from './command-handler.ts';
import type { ChangeMessage } from './feeds/messages.ts';
import { firstStore, prepareNewStore } from './first-start.ts';
import { Identities } from './identities.ts';
import type { RequestContext } from './request-tools.ts';
import { createRequests, type Requests } from './requests.ts';
import { RequestRefused } from './rights.ts';

const staff = trialCaller('staff:ada');
/** The tests do not repeat queries, so all have the same id. */
const contextOf = (caller: Caller): RequestContext => ({ caller, commandId: deriveId('checked-subjects.spec') });
const asStaff = contextOf(staff);
const by = (what: string, caller: Caller = staff): RequestContext => ({
  caller,
  commandId: deriveId('checked-subjects.spec', what),
  reason: 'asked by telephone',
});

/** Rows have their own tests. These tests read only the streams of a customer. */
const readModels = {
  queries: new Proxy(
    {},
    { get: () => ({ streams: async () => [], receipts: async () => [], list: async () => ({ items: [] }) }) },
  ),
  names: ['orders'],
  paused: [] as string[],
  async pause(name: string) {
    this.paused.push(name);
  },
  status: async () => [{ name: 'orders', following: {} }],
};

let events: EventStore;
let vault: Vault;
let requests: Requests;
let queries: Subjects;
let subjects: CheckedSubjects;
let sent: AddressedRequest[];
let customers: { owner: string; stranger: string };
beforeAll(async () => {
  events = await openEmbeddedStore();
  vault = await openVault({});
  const handler = new CommandHandler(events);
  const clock = new MovedClock('2026-03-02T15:00:00.000Z');
  const { streams } = handler;
  const sessions = await openSessions({});
  const dependencies = {
    streams,
    vault,
    clock,
    dispatch: handler.execute.bind(handler),
    events,
    readModels: readModels as unknown as ReadModels,
    mails: undefined,
    sessions,
    identities: new Identities({ streams, sessions, clock }),
    notices: noNotices,
    processes: {
      status: async () => undefined,
      parked: async () => [],
      failingCalls: async () => [],
      retry: async () => false,
    },
  };
  requests = createRequests(dependencies);
  await prepareNewStore(requests);
  subjects = new CheckedSubjects(dependencies);
  sent = [];
  queries = subjectsOver((asked) => {
    sent.push(asked);
    return subjects.execute(asked);
  });
  const register = async (name: string) => {
    const registration = { storeId: firstStore.storeId, businessAssociation: name, timeZone: 'UTC' };
    return (await requests.accounts.register(registration, by(`register ${name}`))).id;
  };
  customers = { owner: await register('Abc'), stranger: await register('Best') };
});
afterAll(async () => {
  await events.close();
  vault.close();
});

const customer = (who: 'owner' | 'stranger'): Caller => trialCaller(`customer:${customers[who]}`);
const asCustomer = (who: 'owner' | 'stranger'): RequestContext => contextOf(customer(who));

async function order(customerId: string): Promise<string> {
  const request = { customerId, leadTypeId: 'exclusive-fresh', quantity: 10, paymentToken: 'tok_ok' };
  return (await requests.orders.place(request, by(`order of ${customerId}`))).id;
}

test('a query is sent with its subject, its name, and who asks', async () => {
  const prices = await queries.catalogue.listPrices(asStaff, { storeId: 'main' });
  expect(prices).toHaveLength(6);
  expect(sent.at(-1)).toEqual({
    subject: 'catalogue',
    name: 'listPrices',
    context: asStaff,
    request: { storeId: 'main' },
  });
});

test('a history is shown to the customer of the order, and refused to another customer', async () => {
  const orderId = await order(customers.owner);
  const types = (await queries.orders.history(asCustomer('owner'), { orderId }))?.events.map(({ type }) => type);
  expect(types).toEqual(['OrderPlaced']);
  await expect(queries.orders.history(asCustomer('stranger'), { orderId })).rejects.toThrow(RequestRefused);
  await expect(queries.orders.history(asCustomer('stranger'), { orderId })).rejects.toMatchObject({
    code: 'not-yours',
    refusal: { rule: 'BCK-2' },
  });
  expect(await queries.orders.history(asCustomer('stranger'), { orderId: 'nobody' })).toBeUndefined();
});

test('a signing secret is shown to its customer, and refused to another customer', async () => {
  const customerId = customers.owner;
  await requests.leadDelivery.choose(
    customerId,
    { mails: 'each', webhookUrl: 'https://crm.example' },
    by('lead delivery'),
  );
  expect(await queries.leadDelivery.get(asCustomer('owner'), { customerId })).toEqual({
    mails: 'each',
    webhookUrl: 'https://crm.example',
    keyMissing: false,
    signingSecret: expect.stringMatching(/^whsec_/),
    revision: 1,
  });
  await expect(queries.leadDelivery.get(asCustomer('stranger'), { customerId })).rejects.toThrow('another customer');
  expect(await queries.leadDelivery.get(asStaff, { customerId: 'nobody' })).toBeUndefined();
});

test('SUP-2: a whole history is shown only after the access is recorded', async () => {
  const { owner: customerId } = customers;
  const request = { customerId, limit: 50 };
  await expect(queries.support.listWholeHistory(asCustomer('owner'), request)).rejects.toMatchObject({
    code: 'support-only',
  });
  await expect(queries.support.listWholeHistory(asStaff, request)).rejects.toMatchObject({
    code: 'reason-missing',
  });
  const looks = async () => {
    let count = 0;
    for await (const _ of events.readStream(`looks-${customerId}`)) count += 1;
    return count;
  };
  expect(await looks()).toBe(0);
  const { items } = await queries.support.listWholeHistory(by('look'), request);
  expect(items[0]).toMatchObject({ stream: `customer-${customerId}`, type: 'CustomerRegistered' });
  expect(await looks()).toBe(1);
});

describe('changes', () => {
  const turn = async () => {};
  /** The changes that a caller gets of the customers' registrations and orders. */
  async function changesFor(caller: Caller): Promise<ChangeMessage[]> {
    const over = new AbortController();
    const feed = await queries.changes.follow(contextOf(caller), { after: BEFORE_FIRST, signal: over.signal, turn });
    const head = await events.head();
    const messages: ChangeMessage[] = [];
    const read = (async () => {
      for await (const some of feed?.changes() ?? []) messages.push(...some);
    })();
    await waitUntil(() => (feed?.reached ?? head) >= head);
    over.abort();
    await read;
    return messages;
  }
  const customersIn = (messages: readonly ChangeMessage[]) => [
    ...new Set(messages.flatMap((message) => (message.kind === 'change' ? [message.change.customerId] : []))),
  ];
  const ofStores = (...stores: string[]): Caller => ({ kind: 'person', actor: 'staff:b', roles: staffRoles, stores });

  it('are those of the caller: a customer’s own, staff’s stores, or all', async () => {
    const both = [customers.owner, customers.stranger];
    expect(customersIn(await changesFor(staff))).toEqual(both);
    expect(customersIn(await changesFor(customer('stranger')))).toEqual([customers.stranger]);
    expect(customersIn(await changesFor(ofStores('main')))).toEqual(both);
    expect(await changesFor(ofStores('west'))).toEqual([]);
  });

  it('of an event that cannot be read are reported to callers who see everything', async () => {
    const bytes = new TextEncoder().encode('{}');
    const event = { id: deriveId('unreadable'), type: 'OrderFolded', data: bytes, metadata: bytes };
    await events.append('order-unreadable', [event], 'no-stream');
    const unreadable = async (caller: Caller) => (await changesFor(caller)).filter(({ kind }) => kind === 'unreadable');
    expect(await unreadable(staff)).toMatchObject([{ stream: 'order-unreadable', type: 'OrderFolded' }]);
    for (const caller of [customer('owner'), ofStores('main')]) expect(await unreadable(caller)).toEqual([]);
  });

  it('cannot be followed from a position that the log has not reached', async () => {
    const { signal } = new AbortController();
    expect(
      await queries.changes.follow(asStaff, { after: '9999999999999999' as Position, signal, turn }),
    ).toBeUndefined();
  });
});

test('an operation is carried out for staff, and refused to customers', async () => {
  await expect(queries.programs.pauseReadModel(asCustomer('owner'), { name: 'orders' })).rejects.toThrow(
    RequestRefused,
  );
  expect(readModels.paused).toEqual([]);
  expect(await queries.programs.pauseReadModel(asStaff, { name: 'orders' })).toEqual({ name: 'orders' });
  expect(readModels.paused).toEqual(['orders']);
});

test.each([
  { subject: 'guesses', name: 'list' },
  { subject: 'orders', name: 'guess' },
  { subject: 'orders', name: 'toString' },
  { subject: 'toString', name: 'call' },
])('$subject.$name does not exist, so nobody can ask for it', async (query) => {
  await expect(subjects.execute({ ...query, context: asStaff, request: {} })).rejects.toThrow(RangeError);
});
