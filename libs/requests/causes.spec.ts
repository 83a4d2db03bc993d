import { customerStream } from '#domain/accounts/customer';
import { catalogueStream } from '#domain/catalogue/catalogue';
import { type Cause, decode } from '#domain/codec';
import { couponStream } from '#domain/coupons/coupon';
import { trialCaller } from '#domain/kernel/caller';
import { deriveId } from '#domain/kernel/ids';
import { leadStream } from '#domain/leads/lead';
import { orderStream } from '#domain/orders/order';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import type { EventStore } from '#event-store/port';
import { MovedClock } from '#gateways/clock';
import { openVault } from '#vault/key-vault';
import type { Vault } from '#vault/vault';
import { CommandHandler } from './command-handler.ts';
import { firstStore, prepareNewStore } from './first-start.ts';
import type { RequestContext } from './request-tools.ts';
import { createRequests, type Requests } from './requests.ts';

const WHY = 'Ada Byron called';
const by = (what: string, actor = 'staff:7', reason?: string): RequestContext => ({
  caller: trialCaller(actor),
  commandId: deriveId('causes.spec', what),
  ...(reason && { reason }),
});
const because = (what: string) => by(what, 'staff:7', WHY);

let events: EventStore;
let vault: Vault;
let requests: Requests;
let customerId: string;
let sealedFor: string[] = [];
beforeAll(async () => {
  events = await openEmbeddedStore();
  vault = await openVault({});
  const seal = vault.seal.bind(vault);
  vault.seal = (owner, purpose, value) => {
    if (purpose === 'reason') sealedFor.push(owner);
    return seal(owner, purpose, value);
  };
  const handler = new CommandHandler(events);
  const clock = new MovedClock('2026-03-02T15:00:00.000Z');
  requests = createRequests({ streams: handler.streams, vault, clock, dispatch: handler.execute.bind(handler) });
  await prepareNewStore(requests);
  customerId = await register('register');
});
beforeEach(() => {
  sealedFor = [];
});
afterAll(async () => {
  await events.close();
  await vault.close();
});

async function register(what: string, context = by(what)): Promise<string> {
  const registration = { storeId: firstStore.storeId, businessAssociation: what, timeZone: 'UTC' };
  return (
    await requests.accounts.register(
      { ...registration, email: `${what}@example.org`, password: 'a good long password' },
      context,
    )
  ).id;
}

const place = async (context: RequestContext, more: { couponCode?: string; customerId?: string } = {}) =>
  requests.orders.place(
    { customerId, leadTypeId: 'exclusive-fresh', quantity: 5, paymentToken: 'tok_ok', ...more },
    context,
  );

const aLead = (email: string) => ({ leadTypeId: 'exclusive-fresh', source: 'page', contact: { email } });

async function causes(stream: string): Promise<readonly Cause[]> {
  const found: Cause[] = [];
  for await (const recorded of events.readStream(stream)) found.push(decode(recorded).cause);
  return found;
}

const lastRevision = async (stream: string): Promise<number> => (await causes(stream)).length - 1;

const reasonIn = async (cause: Cause | undefined): Promise<unknown> => cause?.reason && vault.open(cause.reason);

describe('the reason of a command', () => {
  it.each([
    ['an account', async () => requests.accounts.changeTimeZone(customerId, 'America/Boise', because('zone'))],
    ['an order that is placed', () => place(because('place'))],
    ['an order that exists', async () => requests.orders.cancel((await place(by('o'))).id, because('cancel'))],
  ])('is sealed under the key of the customer: for %s', async (_, ask) => {
    const { id } = await ask();
    expect(sealedFor).toEqual([customerStream(customerId)]);
    const stream = id === customerId ? customerStream(id) : orderStream(id);
    const [last] = (await causes(stream)).slice(-1);
    expect(last?.reason).toMatchObject({ purpose: 'reason' });
    expect(await reasonIn(last)).toBe(WHY);
  });

  it('is sealed under the key of the lead, and under a key of its own for a thing of the store', async () => {
    const [received] = await requests.leads.receive([aLead('ada@example.org')], because('leads'));
    const stream = leadStream(received?.id ?? '');
    await requests.catalogue.setStatementDescriptor('LEADS', because('descriptor'));
    expect(sealedFor).toEqual([stream, catalogueStream]);
    expect(await reasonIn((await causes(stream))[0])).toBe(WHY);
    expect(await reasonIn((await causes(catalogueStream)).at(-1))).toBe(WHY);
  });

  it('is lost when the customer is erased', async () => {
    const gone = await register('gone', because('gone'));
    await vault.erase(customerStream(gone));
    expect(await reasonIn((await causes(customerStream(gone)))[0])).toBeUndefined();
  });

  it('is one box for all events of a command', async () => {
    const id = await register('some events', because('some events'));
    const boxes = (await causes(customerStream(id))).map(({ reason }) => reason);
    expect(boxes).toHaveLength(3);
    expect(boxes).toEqual([boxes[0], boxes[0], boxes[0]]);
  });

  it('is not sealed for a caller without the right, nor for a stream that does not exist', async () => {
    const { id } = await place(by('of another'));
    const stranger = by('stranger', 'customer:c2', WHY);
    expect((await requests.orders.cancel(id, stranger)).outcome).toMatchObject({ refusal: { code: 'not-yours' } });
    const unknown = await requests.accounts.changeTimeZone('nobody', 'UTC', because('nobody'));
    expect(unknown.outcome).toMatchObject({ kind: 'refused' });
    expect(sealedFor).toEqual([]);
  });

  it('still gives support its right', async () => {
    const refused = await requests.accounts.changeTimeZone(customerId, 'UTC', by('without'));
    expect(refused.outcome).toMatchObject({ refusal: { code: 'reason-missing' } });
    expect((await requests.accounts.changeTimeZone(customerId, 'UTC', because('with'))).outcome.kind).toBe('accepted');
  });
});

describe('the basis of a command', () => {
  it('is what its request read: the terms of business and the customer for an order', async () => {
    const { id } = await place(by('basis of an order'));
    const [cause] = await causes(orderStream(id));
    expect(cause?.basis).toEqual({
      [customerStream(customerId)]: await lastRevision(customerStream(customerId)),
      'catalogue-main': await lastRevision('catalogue-main'),
      'policy-main': 0,
    });
  });

  it('names the coupon at the revision that decided, and no code that is none', async () => {
    const coupon = { code: 'TEN', storeIds: [firstStore.storeId], discount: { percent: 10 } };
    await requests.coupons.define({ ...coupon, validFrom: '2026-03-01T00:00:00.000Z' }, by('coupon'));
    const { id } = await place(by('with a coupon'), { couponCode: 'TEN' });
    expect((await causes(orderStream(id)))[0]?.basis).toMatchObject({ [couponStream('TEN')]: 1 });
    await place(by('with no coupon'), { couponCode: 'Ada' });
    const names = [];
    for await (const recorded of events.readAll()) names.push(...Object.keys(decode(recorded).cause.basis ?? {}));
    expect(names).not.toContain(couponStream('Ada'));
  });

  it('is only the terms of business for a lead', async () => {
    const [received] = await requests.leads.receive([aLead('bob@example.org')], by('a lead', 'system:intake'));
    const [cause] = await causes(leadStream(received?.id ?? ''));
    expect(Object.keys(cause?.basis ?? {}).sort()).toEqual(['catalogue-main', 'policy-main']);
  });

  it('is what its own request read, also when requests run at once', async () => {
    const customers = [await register('one'), await register('two')];
    const orders = await Promise.all(customers.map((id) => place(by(`of ${id}`), { customerId: id })));
    const read = await Promise.all(orders.map(async ({ id }) => (await causes(orderStream(id)))[0]?.basis ?? {}));
    expect(read.map((basis) => Object.keys(basis).filter((name) => name.startsWith('customer-')))).toEqual(
      customers.map((id) => [customerStream(id)]),
    );
  });

  it('is absent where nothing else was read', async () => {
    await requests.accounts.changeTimeZone(customerId, 'America/Denver', because('no basis'));
    expect((await causes(customerStream(customerId))).at(-1)?.basis).toBeUndefined();
  });
});

it('the cause says how it is known who asked, and for whom a person acted', async () => {
  const asked = by('session');
  await requests.catalogue.setStatementDescriptor('ONE', asked);
  const caller = { ...trialCaller('staff:8'), authenticatedAs: 'staff:7' };
  await requests.catalogue.setStatementDescriptor('TWO', { ...by('for another'), caller });
  const known = (await causes(catalogueStream)).map(({ actor, authenticated, authenticatedAs }) => {
    return { actor, authenticated, authenticatedAs };
  });
  expect(known[0]).toEqual({ actor: 'system:first-start', authenticated: 'process', authenticatedAs: undefined });
  expect(known.slice(-2)).toEqual([
    { actor: 'staff:7', authenticated: 'trial-header', authenticatedAs: undefined },
    { actor: 'staff:8', authenticated: 'trial-header', authenticatedAs: 'staff:7' },
  ]);
});
