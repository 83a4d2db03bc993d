import { type Caller, staffRoles, trialCaller } from '#domain/kernel/caller';
import type { EventTypeName } from '#domain/ledger';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import type { EventStore } from '#event-store/port';
import { describeWithPostgres, freshDatabase } from '#test/postgres/database';
import { creatorsOf } from '#test/row-digests';
import { append, marked, sampleFacts } from '#test/sample-facts';
import { models } from '../models.ts';
import type { RowQueries } from '../queries.ts';
import { openReadModels, type ReadModels } from '../read-models.ts';

const owner = trialCaller('staff:owner');
const customer = (mark: string): Caller => trialCaller(`customer:c1-${mark}`);
const staffOf = (...stores: string[]): Caller => ({ kind: 'person', actor: 'staff:ada', roles: staffRoles, stores });

const program: Caller = { kind: 'program', actor: 'system:intake', roles: ['lead-source'], stores: 'all' };

const LIMIT = { limit: 50 };
const longAgo = '2000-01-01T00:00:00.000Z';
const farAhead = '2100-01-01T00:00:00.000Z';
const damaged = ['A', 'B'].map((id) => ({ orderId: `o1-${id}`, since: longAgo }));
const limits = {
  ...LIMIT,
  waitingSince: farAhead,
  declinedSince: longAgo,
  erased: [],
  now: farAhead,
  damaged,
  parkedCharges: damaged,
  bulkReads: [],
  approvals: [],
  parkedOrders: damaged.map((order) => ({ ...order, why: 'DeliverLead: it failed' })),
  unansweredSince: farAhead,
  future: '2000-01-01T00:00:00.000Z',
  latestRetry: '2000-01-01T00:00:00.000Z',
  failing: [],
};

const sampleOf = (type: EventTypeName, field: string): string =>
  (sampleFacts.find((fact) => fact.type === type)?.data as Record<string, string> | undefined)?.[field] ?? '';

/** Every query, without filters. */
const asked: Readonly<Record<string, (queries: RowQueries, caller: Caller) => Promise<unknown>>> = {
  'customers.list': (queries, caller) => queries.customers.list(caller, LIMIT),
  'customers.find': (queries, caller) => each((id) => queries.customers.find(caller, `c1-${id}`)),
  'customers.streams': (queries, caller) => each((id) => queries.customers.streams(caller, `c1-${id}`)),
  'customers.receipts': (queries, caller) => each((id) => queries.customers.receipts(caller, `c1-${id}`)),
  'customers.waitingFor': (queries, caller) =>
    queries.customers.waitingFor(caller, sampleOf('EmailChangeRequested', 'addressKey')),
  'customers.callBacks': (queries, caller) => each((id) => queries.customers.callBacks(caller, `c1-${id}`)),
  'customers.callBacksTo': (queries, caller) =>
    queries.customers.callBacksTo(caller, [sampleOf('TicketOpened', 'telephoneKey')]),
  'orders.list': (queries, caller) => queries.orders.list(caller, LIMIT),
  'orders.find': (queries, caller) => each((id) => queries.orders.find(caller, `o1-${id}`)),
  'coupons.listUses': (queries, caller) =>
    each((id) => queries.coupons.listUses(caller, { ...LIMIT, couponId: `coupon-${id}` })),
  'refunds.list': (queries, caller) => queries.refunds.list(caller, LIMIT),
  'refunds.find': (queries, caller) => each((id) => queries.refunds.find(caller, `f1-${id}`)),
  'receipts.list': (queries, caller) => queries.receipts.list(caller, LIMIT),
  'receipts.find': (queries, caller) => each((id) => queries.receipts.find(caller, `n1-${id}`)),
  'receipts.taxes': (queries, caller) => each((id) => queries.receipts.taxes(caller, `s1-${id}`)),
  'disputes.list': (queries, caller) => queries.disputes.list(caller, LIMIT),
  'disputes.orderOfPayment': (queries, caller) => each((id) => queries.disputes.orderOfPayment(caller, `p1-${id}`)),
  'definedCoupons.find': (queries, caller) => each((id) => queries.definedCoupons.find(caller, `coupon-${id}`)),
  'definedCoupons.list': (queries, caller) => queries.definedCoupons.list(caller, LIMIT),
  'programmes.list': (queries, caller) => queries.programmes.list(caller, LIMIT),
  'programmes.find': (queries, caller) => each((id) => queries.programmes.find(caller, `o1-${id}`)),
  'programmes.withMissedRenewal': (queries, caller) =>
    queries.programmes.withMissedRenewal(caller, { ...LIMIT, after: '' }),
  'programmes.renewals': (queries, caller) => each((id) => queries.programmes.renewals(caller, `o1-${id}`)),
  'leads.ofPerson': (queries, caller) => queries.leads.ofPerson(caller, [sampleOf('LeadReceived', 'telephoneKey')]),
  'leads.deliveries': (queries, caller) => each((id) => queries.leads.deliveries(caller, `l1-${id}`)),
  'leads.find': (queries, caller) => each((id) => queries.leads.find(caller, `l1-${id}`)),
  'deliveredLeads.find': (queries, caller) => each((id) => queries.deliveredLeads.find(caller, `c1-${id}`, `l1-${id}`)),
  'deliveredLeads.list': (queries, caller) =>
    each((id) => queries.deliveredLeads.list(caller, { ...LIMIT, customerId: `c1-${id}` })),
  'deliveredLeads.each': (queries, caller) =>
    each((id) => all(queries.deliveredLeads.each(caller, { customerId: `c1-${id}` }))),
  'deliveredLeads.pick': (queries, caller) =>
    each((id) => queries.deliveredLeads.pick(caller, { ...LIMIT, customerId: `c1-${id}` }, async (lead) => lead)),
  'replacements.list': (queries, caller) => queries.replacements.list(caller, LIMIT),
  'replacements.find': (queries, caller) => each((id) => queries.replacements.find(caller, `r1-${id}`)),
  'tickets.list': (queries, caller) => queries.tickets.list(caller, LIMIT),
  'tickets.find': (queries, caller) => each((id) => queries.tickets.find(caller, `ticket-${id}`)),
  'mails.list': (queries, caller) => queries.mails.list(caller, LIMIT),
  'mails.find': (queries, caller) => each((id) => queries.mails.find(caller, `mail-${id}`)),
  'webhooks.list': (queries, caller) => queries.webhooks.list(caller, LIMIT),
  'webhooks.find': (queries, caller) => each((id) => queries.webhooks.find(caller, `webhook-${id}`)),
  'owners.ofFamily': (queries, caller) => queries.owners.ofFamily(caller, 'order', ['o1-A', 'o1-B']),
  'attention.list': (queries, caller) => queries.attention.list(caller, limits),
};

const each = async <Answer>(ask: (id: string) => Promise<Answer>): Promise<Answer[]> => [
  await ask('A'),
  await ask('B'),
];

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** The customers of the two whose data an answer contains. */
const marksIn = (answer: unknown): string[] =>
  [...new Set([...JSON.stringify(answer).matchAll(/-(A|B)[" /]/g)].map(([, mark]) => mark as string))].sort();

function describeVisibility(open: (store: EventStore) => Promise<readonly [ReadModels, () => Promise<void>]>): void {
  let store: EventStore;
  let readModels: ReadModels;
  let remove: () => Promise<void>;
  beforeAll(async () => {
    store = await openEmbeddedStore();
    const creators = new Set(models.flatMap(creatorsOf));
    const facts = sampleFacts.filter((fact) => creators.has(fact));
    // A lead is received before it is delivered, a programme begins with its order, and a refund is wished before it is made.
    const first = (type: string) => Number(!/^(CustomerRegistered|OrderPlaced|LeadReceived|RefundWished)$/.test(type));
    const inOrder = facts.sort((a, b) => first(a.type) - first(b.type));
    const later = sampleFacts.filter(({ type }) => /^(PaymentCaptured|RenewalMissed|TicketOpened)$/.test(type));
    for (const mark of ['A', 'B']) await append(store, marked([...inOrder, ...later], mark));
    [readModels, remove] = await open(store);
    await readModels.catchUp();
  });
  afterAll(async () => {
    await readModels.stop();
    await store.close();
    await remove();
  });

  const shown = (query: string, caller: Caller) =>
    asked[query]?.(readModels.queries, caller).then(marksIn) as Promise<string[]>;

  it('there is a case for every query', () => {
    const names = Object.entries(readModels.queries).flatMap(([subject, queries]) =>
      [...Object.keys(queries), ...Object.getOwnPropertyNames(Object.getPrototypeOf(queries))]
        .filter((name) => !(name in Object.prototype))
        .map((name) => `${subject}.${name}`),
    );
    // They say a number, or whether there is one.
    const ofNobody = ['leads.stock', 'attention.counts', 'disputes.isChargeUnderWay', 'disputes.paymentsNamed'];
    expect([...Object.keys(asked), ...ofNobody].sort()).toEqual(names.sort());
  });

  it.each(Object.keys(asked))(
    '%s shows the owner all, a customer and the staff of a store only theirs, and a program without a role for it nothing',
    async (query) => {
      expect(await shown(query, owner)).toEqual(['A', 'B']);
      // Leads in stock are no customer's and no store's.
      const own = (mark: string) => (/^leads\.(find|ofPerson)$/.test(query) ? [] : [mark]);
      for (const mark of ['A', 'B']) {
        // Where the taxes of a store were set is not a customer's.
        expect(await shown(query, customer(mark))).toEqual(query === 'receipts.taxes' ? [] : own(mark));
        expect(await shown(query, staffOf(`s1-${mark}`))).toEqual(own(mark));
      }
      expect(await shown(query, staffOf())).toEqual([]);
      expect(await shown(query, customer('none'))).toEqual([]);
      expect(await shown(query, program)).toEqual([]);
    },
  );

  it('the counts of the list of attention are those of the list that a caller sees', async () => {
    for (const caller of [owner, staffOf('s1-A'), customer('B'), staffOf(), program]) {
      const { items } = await readModels.queries.attention.list(caller, { ...limits, limit: 100 });
      const counts = await readModels.queries.attention.counts(caller, limits);
      expect([...counts.values()].reduce((sum, count) => sum + count, 0)).toBe(items.length);
      for (const [reason, count] of counts) expect(items.filter((item) => item.reason === reason)).toHaveLength(count);
    }
  });

  it('the stock is shown to callers who see all stores; others see only their own waiting orders', async () => {
    const stockFor = (caller: Caller) => readModels.queries.leads.stock(caller);
    const [all] = await stockFor(owner);
    expect(all).toMatchObject({ leadTypeId: 't1', openOrders: 2, leads: 2 });
    expect(await stockFor(staffOf('s1-A'))).toMatchObject([
      { leadTypeId: 't1', openOrders: 1, leads: 0, openPlaces: 0 },
    ]);
    expect(await stockFor(customer('B'))).toMatchObject([{ leadTypeId: 't1', openOrders: 1, leads: 0, openPlaces: 0 }]);
    expect(await stockFor(staffOf())).toEqual([]);
    expect(await stockFor(program)).toEqual([]);
  });
}

describe('what a caller sees, on PGlite,', () =>
  describeVisibility(async (store) => [await openReadModels({ store }), async () => {}]));

describeWithPostgres('what a caller sees, on PostgreSQL,', () =>
  describeVisibility(async (store) => {
    const { url, drop } = await freshDatabase();
    return [await openReadModels({ store, databaseUrl: url }), drop];
  }),
);
