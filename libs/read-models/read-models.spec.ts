import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { Kysely, sql } from 'kysely';
import { Client } from 'pg';
import { encode } from '#domain/codec';
import { trialCaller } from '#domain/kernel/caller';
import { deriveId } from '#domain/kernel/ids';
import type { AnyEvent, EventOf, FamilyName } from '#domain/ledger';
import { replacementIdOf } from '#domain/replacements/replacement';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import type { EventStore } from '#event-store/port';
import { describeWithPostgres, freshDatabase } from '#test/postgres/database';
import { FAR_AWAY_MILLISECONDS, FAR_AWAY_SECONDS } from '#test/wait-until';
import { openEmbeddedDatabase } from './engine/embedded-database.ts';
import { AlreadyRebuilding, BadCursor, BeingBuilt, Paused, RebuildCancelled, UnknownModel } from './errors.ts';
import { models } from './models.ts';
import { openReadModels, type ReadModels } from './read-models.ts';

const at = (minute: number): string => `2026-05-01T10:${String(minute).padStart(2, '0')}:00.000Z`;
const staff = trialCaller('staff:spec');
const contact = { keyId: 'key', box: 'AAAA' };
const decision = {
  rule: 'order-served-longest-ago',
  rank: { placedAt: at(0) },
  decidedAt: at(3),
  eventsSeen: 3,
  decisionIndex: 0,
  policyVersion: 1,
} as const;

type Written = { [Name in FamilyName]: readonly [stream: `${Name}-${string}`, event: EventOf<Name>] }[FamilyName];

const orderPlaced = (orderId: string, customerId: string, minute: number): Written => [
  `order-${orderId}`,
  {
    type: 'OrderPlaced',
    data: {
      at: at(minute),
      customerId,
      storeId: 'main',
      leadTypeId: 'shared-fresh',
      quantity: 2,
      bonusLeads: 0,
      timeZone: 'America/New_York',
      pricePerLeadCents: 250,
      totalCents: 500,
      currency: 'USD',
      paymentToken: { keyId: 'k1', box: btoa('tok_ok'), secret: true },
      statementDescriptor: 'LEADGER',
      policyVersion: 1,
    },
  },
];

const leadReceived = (leadId: string, minute: number): Written => [
  `lead-${leadId}`,
  {
    type: 'LeadReceived',
    data: { at: at(minute), leadTypeId: 'shared-fresh', openPlaces: 3, source: 'web', contact, policyVersion: 1 },
  },
];

const leadAssigned = (leadId: string, orderId: string, customerId: string, openPlaces: number): Written => [
  `lead-${leadId}`,
  {
    type: 'LeadAssigned',
    data: { at: at(3), leadTypeId: 'shared-fresh', openPlaces, orderId, customerId, businessKey: 'abc', decision },
  },
];

const leadDelivered = (leadId: string, orderId: string, customerId: string, replacementFor?: string): Written => [
  `order-${orderId}`,
  {
    type: 'LeadDelivered',
    data: {
      at: at(4),
      leadId,
      leadTypeId: 'shared-fresh',
      customerId,
      storeId: 'main',
      businessKey: 'abc',
      localDay: '2026-05-01',
      decision,
      ...(replacementFor && { replacementFor }),
    },
  },
];

/** One customer, two orders, three leads, a return that is granted and replaced. */
const story: readonly Written[] = [
  [
    'customer-c1',
    {
      type: 'CustomerRegistered',
      data: {
        at: at(0),
        storeId: 'main',
        businessAssociation: contact,
        businessKey: 'abc',
        timeZone: 'America/New_York',
      },
    },
  ],
  orderPlaced('o1', 'c1', 1),
  ['order-o1', { type: 'PaymentCaptured', data: { at: at(1), reference: 'r', amountCents: 500, currency: 'USD' } }],
  orderPlaced('o2', 'c1', 2),
  ['order-o2', { type: 'PaymentDeclined', data: { at: at(2), reason: 'insufficient-funds' } }],
  leadReceived('l1', 2),
  leadReceived('l2', 2),
  leadReceived('l3', 2),
  leadAssigned('l1', 'o1', 'c1', 2),
  leadDelivered('l1', 'o1', 'c1'),
  ['contacts-c1', { type: 'ContactRated', data: { at: at(5), leadId: 'l1', rating: 1 } }],
  [
    `replacement-${replacementIdOf('o1', 'l1')}`,
    {
      type: 'ReplacementRequested',
      data: {
        at: at(6),
        orderId: 'o1',
        leadId: 'l1',
        leadTypeId: 'shared-fresh',
        customerId: 'c1',
        storeId: 'main',
        reason: 'wrong number',
        deliveredAt: at(4),
        verifyBy: '2026-05-08T10:06:00.000Z',
        policyVersion: 1,
      },
    },
  ],
  [
    `replacement-${replacementIdOf('o1', 'l1')}`,
    { type: 'ChargebackGranted', data: { at: at(7), orderId: 'o1', leadId: 'l1', reason: 'wrong number' } },
  ],
  [
    'lead-l1',
    {
      type: 'LeadWithdrawn',
      data: { at: at(7), leadTypeId: 'shared-fresh', openPlaces: 0, replacementId: 'r1', reason: 'wrong number' },
    },
  ],
  [
    'order-o1',
    {
      type: 'ReplacementOwed',
      data: {
        at: at(7),
        replacementId: 'r1',
        leadId: 'l1',
        leadTypeId: 'shared-fresh',
        customerId: 'c1',
        owedSince: at(7),
      },
    },
  ],
  leadAssigned('l2', 'o1', 'c1', 2),
  leadDelivered('l2', 'o1', 'c1', 'r1'),
  [
    `replacement-${replacementIdOf('o1', 'l1')}`,
    { type: 'ReplacementDelivered', data: { at: at(8), orderId: 'o1', leadId: 'l1', replacementLeadId: 'l2' } },
  ],
  [
    'lead-l3',
    {
      type: 'LeadAged',
      data: { at: at(9), leadTypeId: 'shared-aged', openPlaces: 3, fromLeadTypeId: 'shared-fresh', policyVersion: 1 },
    },
  ],
  ['order-o1', { type: 'OrderPaused', data: { at: at(9) } }],
  [
    'ticket-t1',
    {
      type: 'TicketOpened',
      data: {
        at: at(10),
        customerId: 'c1',
        storeId: 'main',
        subject: contact,
        message: contact,
        dueAt: at(12),
        policyVersion: 1,
      },
    },
  ],
  ['ticket-t1', { type: 'TicketOverdue', data: { at: at(12), customerId: 'c1', dueAt: at(12) } }],
  ['ticket-t1', { type: 'TicketAnswered', data: { at: at(13), customerId: 'c1', answer: contact } }],
];

let written = 0;
async function write(store: EventStore, events: readonly Written[]): Promise<void> {
  for (const [stream, event] of events) {
    written += 1;
    const commandId = deriveId('spec', String(written));
    const cause = { commandId, correlationId: commandId, actor: 'staff:spec' };
    await store.append(stream, [{ id: commandId, ...encode(stream, event as AnyEvent, cause) }], 'any');
  }
}

/** Opens the tables, and says how to delete them. */
interface Home {
  readonly place: { readonly directory?: string; readonly databaseUrl?: string };
  remove(): Promise<void>;
  /** Changes the database, which no read models have open. */
  run(text: string): Promise<void>;
}

const inADirectory = async (): Promise<Home> => {
  const directory = mkdtempSync(join(tmpdir(), 'leadger-spec-'));
  const run = async (text: string) => {
    const database = await openEmbeddedDatabase(directory);
    const db = new Kysely({ dialect: database.dialect });
    await sql.raw(text).execute(db);
    await db.destroy();
    database.closed();
  };
  return { place: { directory }, remove: async () => rmSync(directory, { recursive: true }), run };
};
const inPostgres = async (): Promise<Home> => {
  const { url, drop } = await freshDatabase();
  const run = async (text: string) => {
    const client = new Client(url);
    await client.connect();
    await client.query(text);
    await client.end();
  };
  return { place: { databaseUrl: url }, remove: drop, run };
};

describe('read models, on PGlite,', () => describeReadModels(inADirectory));
describeWithPostgres('read models, on PostgreSQL,', () => describeReadModels(inPostgres));

function describeReadModels(makeHome: () => Promise<Home>) {
  let home: Home;
  let store: EventStore;
  let readModels: ReadModels;
  beforeEach(async () => {
    home = await makeHome();
    store = await openEmbeddedStore();
    readModels = await openReadModels({ store, ...home.place });
    readModels.start();
  });
  afterEach(async () => {
    await readModels.stop();
    await store.close();
    await home.remove();
  });

  const upToDate = async () => expect(await readModels.waitFor(await store.head(), FAR_AWAY_MILLISECONDS)).toBe(true);
  const parkedOf = async (of: string) => (await readModels.status()).find(({ name }) => name === of)?.parkedStreams;
  const digests = () => Promise.all(readModels.names.map((name) => readModels.digest(name)));

  it('answer what back offices ask', async () => {
    await write(store, story);
    await upToDate();
    const { queries } = readModels;
    expect(await queries.customers.find(staff, 'c1')).toMatchObject({
      businessKey: 'abc',
      registeredAt: at(0),
      revision: 0,
    });
    expect(await queries.orders.find(staff, 'o1')).toMatchObject({
      status: 'paused',
      deliveredLeads: 1,
      replacementsOwed: 0,
      replacementsDelivered: 1,
      dailyMaximum: null,
      totalCents: 500,
      paidAt: at(1),
      pausedAt: at(9),
      lastDeliveredAt: at(4),
      revision: 5,
    });
    expect(await queries.orders.find(staff, 'o2')).toMatchObject({
      status: 'payment-failed',
      declineReason: 'insufficient-funds',
    });
    expect((await queries.deliveredLeads.list(staff, { customerId: 'c1', limit: 10 })).items).toMatchObject([
      { leadId: 'l2', forReplacementId: 'r1', replacementStatus: null, contact },
      { leadId: 'l1', rating: 1, forReplacementId: null, replacementStatus: 'replaced' },
    ]);
    expect((await queries.replacements.list(staff, { limit: 10, status: 'replaced' })).items).toMatchObject([
      { leadId: 'l1', dueAt: '2026-05-08T10:06:00.000Z', replacementLeadId: 'l2', decidedAt: at(7), overdue: false },
    ]);
    expect((await queries.tickets.list(staff, { limit: 10, customerId: 'c1' })).items).toMatchObject([
      { ticketId: 't1', status: 'answered', overdue: true, dueAt: at(12), answeredAt: at(13), revision: 2 },
    ]);
    expect((await queries.tickets.find(staff, 't1'))?.messages).toEqual([
      { at: at(10), actor: 'staff:spec', text: contact },
      { at: at(13), actor: 'staff:spec', text: contact },
    ]);
    expect(await queries.customers.streams(staff, 'c1')).toEqual([
      'order-o1',
      'order-o2',
      `replacement-${replacementIdOf('o1', 'l1')}`,
      'ticket-t1',
    ]);
    expect(await queries.leads.stock(staff)).toMatchObject([
      { leadTypeId: 'shared-aged', leads: 1, openPlaces: 3 },
      { leadTypeId: 'shared-fresh', leads: 1, openPlaces: 2 },
    ]);
    expect(await queries.leads.find(staff, 'l1')).toMatchObject({ withdrawn: true, openPlaces: 0, revision: 2 });
    expect(await queries.orders.find(staff, 'none')).toBeUndefined();
    const owners = await queries.owners.ofFamily(staff, 'order', ['o1', 'none', 'o2']);
    expect(owners.map(({ id }) => id).toSorted()).toEqual(['o1', 'o2']);
    for (const owner of owners) expect(owner).toMatchObject({ customerId: 'c1', storeId: 'main' });
    expect(await queries.owners.ofFamily(staff, 'ticket', ['t1'])).toMatchObject([{ id: 't1', customerId: 'c1' }]);
    expect(await queries.owners.ofFamily(staff, 'lead', ['l1'])).toEqual([]);
  });

  it('list in pages that neither skip nor repeat, newest first', async () => {
    await write(
      store,
      Array.from({ length: 23 }, (_, index) => orderPlaced(`o${index}`, index % 2 ? 'c1' : 'c2', index >> 1)),
    );
    await upToDate();
    const listed: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await readModels.queries.orders.list(staff, { limit: 5, ...(cursor && { cursor }) });
      listed.push(...page.items.map(({ orderId }) => orderId));
      cursor = page.nextCursor;
    } while (cursor);
    const newestFirst = Array.from({ length: 23 }, (_, index) => index).sort((a, b) => (b >> 1) - (a >> 1));
    expect(new Set(listed).size).toBe(23);
    expect(listed.map((id) => Number(id.slice(1)) >> 1)).toEqual(newestFirst.map((index) => index >> 1));
    expect((await readModels.queries.orders.list(staff, { limit: 50, customerId: 'c1' })).items).toHaveLength(11);
    await expect(readModels.queries.orders.list(staff, { limit: 5, cursor: 'here' })).rejects.toThrow(BadCursor);
  });

  it('continue after a restart where they stopped, and count nothing twice', async () => {
    await write(store, story.slice(0, 9));
    await upToDate();
    await readModels.stop();
    await write(store, story.slice(9));
    readModels = await openReadModels({ store, ...home.place });
    readModels.start();
    await upToDate();
    const resumed = await digests();
    for (const name of readModels.names) await readModels.rebuild(name);
    expect(await digests()).toEqual(resumed);
    expect(await readModels.queries.orders.find(staff, 'o1')).toMatchObject({ deliveredLeads: 1, revision: 5 });
  });

  it('park a stream that they cannot read, with the reason, and continue with the others', async () => {
    await write(store, [
      orderPlaced('o1', 'c1', 1),
      ['order-never-placed', { type: 'OrderPaused', data: { at: at(2) } }],
      ['order-never-placed', { type: 'OrderRestarted', data: { at: at(3) } }],
    ]);
    const { id } = { id: deriveId('spec', 'garbage') };
    const garbage = new TextEncoder().encode('{');
    await store.append('order-garbage', [{ id, type: 'OrderPaused', data: garbage, metadata: garbage }], 'any');
    // What PostgreSQL cannot store is found only when a batch is written.
    const [vast, placed] = orderPlaced('o-vast', 'c1', 4);
    const quantity = 3_000_000_000;
    await write(store, [
      [vast, { ...placed, data: { ...placed.data, quantity } }] as never,
      orderPlaced('o3', 'c1', 5),
    ]);
    await upToDate();
    const parked = await parkedOf('orders');
    expect(parked?.map(({ stream, revision }) => [stream, revision])).toEqual([
      ['order-garbage', 0],
      ['order-never-placed', 0],
      ['order-o-vast', 0],
    ]);
    expect(parked?.map(({ reason }) => reason)).toEqual([
      'order-garbage@0 (OrderPaused) cannot be read: it is not JSON',
      'OrderPaused of an order that was never placed',
      'the database cannot store what this event says (SQLSTATE 22003)',
    ]);
    expect((await readModels.queries.orders.list(staff, { limit: 10 })).items.map(({ orderId }) => orderId)).toEqual([
      'o3',
      'o1',
    ]);
    await readModels.stop();
    readModels = await openReadModels({ store, ...home.place });
    readModels.start();
    await upToDate();
    expect(await parkedOf('orders')).toHaveLength(3);
    // They stay as they are: one alone could not be written, the others cannot be understood.
    expect(await readModels.retry('orders')).toEqual(parked);
  });

  it('apply the events before one that they cannot read, also from the same batch', async () => {
    await readModels.stop();
    await write(store, [orderPlaced('o1', 'c1', 1)]);
    const garbage = new TextEncoder().encode('{');
    await store.append(
      'order-o1',
      [{ id: deriveId('spec', 'bad'), type: 'OrderPaused', data: garbage, metadata: garbage }],
      0,
    );
    readModels = await openReadModels({ store, ...home.place });
    readModels.start();
    await upToDate();
    expect(await readModels.queries.orders.find(staff, 'o1')).toMatchObject({
      status: 'awaiting-payment',
      revision: 0,
    });
    expect(await parkedOf('orders')).toMatchObject([{ stream: 'order-o1', revision: 1 }]);
  });

  it('take texts that an older version let into an event, with U+FFFD for what a row cannot store', async () => {
    const [stream, { type, data }] = leadReceived('l1', 2) as Written & readonly [`lead-${string}`, EventOf<'lead'>];
    await write(store, [
      orderPlaced('o-nul', 'c\0', 1),
      [stream, { type, data: { ...data, source: 'a\0b\ud800c\udc00\u{1f600}' } } as never],
    ]);
    await upToDate();
    expect((await readModels.status()).flatMap(({ parkedStreams }) => parkedStreams)).toEqual([]);
    expect(await readModels.queries.orders.find(staff, 'o-nul')).toMatchObject({ customerId: 'c\ufffd' });
    const source = 'a\ufffdb\ufffdc\ufffd\u{1f600}';
    expect(await readModels.queries.leads.find(staff, 'l1')).toMatchObject({ source });
  });

  it('park nothing of an order whose programme ends, when they do not have the order', async () => {
    await write(store, [
      [
        'programme-o9',
        {
          type: 'ProgrammeCancelled',
          data: { at: at(2), customerId: 'c1', renewalNumber: 1, cause: 'customer' },
        } as never,
      ],
    ]);
    await upToDate();
    expect(await parkedOf('orders')).toEqual([]);
  });

  it('catch up on a parked stream when it is retried, and then have the rows of an undisturbed run', async () => {
    const early = [leadDelivered('l1', 'o1', 'c1'), leadDelivered('l2', 'o1', 'c1')];
    const placed = orderPlaced('o1', 'c1', 1);
    const refuse = async (...leadIds: string[]) => {
      const { version } = (await readModels.status()).find(({ name }) => name === 'leads') as { version: string };
      await readModels.stop();
      await home.run(`ALTER TABLE leads_${version}.leads DROP CONSTRAINT IF EXISTS refuses`);
      for (const leadId of leadIds.slice(0, 1))
        await home.run(`ALTER TABLE leads_${version}.leads ADD CONSTRAINT refuses CHECK (lead_id < '${leadId}')`);
      readModels = await openReadModels({ store, ...home.place });
      readModels.start();
      await upToDate();
    };
    const reason = 'the database cannot store what this event says (SQLSTATE 23514)';
    const deliveries = async () =>
      (await readModels.queries.deliveredLeads.list(staff, { customerId: 'c1', limit: 9 })).items;
    await write(store, [placed]);
    await upToDate();
    await refuse('l1');
    await write(store, [leadReceived('l1', 2), leadReceived('l2', 2), ...early]);
    await upToDate();
    const parked = ['lead-l1', 'lead-l2'].map((stream) => ({ stream, revision: 0, reason }));
    expect(await parkedOf('leads')).toEqual(parked);
    // What the order bought is shown, without the persons.
    expect((await deliveries()).map(({ leadId, contact }) => [leadId, contact])).toEqual([
      ['l2', null],
      ['l1', null],
    ]);
    expect(await readModels.retry('leads')).toEqual(parked);
    await refuse('l2');
    expect(await readModels.retry('leads')).toMatchObject([{ stream: 'lead-l2', revision: 0 }]);
    await refuse();
    expect(await readModels.retry('leads')).toEqual([]);
    expect((await deliveries()).map(({ leadId, contact: box }) => [leadId, box])).toEqual([
      ['l2', contact],
      ['l1', contact],
    ]);
    // The streams are followed again.
    await write(store, [leadReceived('l3', 2), leadDelivered('l3', 'o1', 'c1')]);
    await upToDate();
    expect(await parkedOf('leads')).toEqual([]);
    const digest = await readModels.digest('leads');

    const inOrder = await openEmbeddedStore();
    await write(inOrder, [
      placed,
      ...['l1', 'l2', 'l3'].map((leadId) => leadReceived(leadId, 2)),
      ...early,
      leadDelivered('l3', 'o1', 'c1'),
    ]);
    const undisturbed = await openReadModels({ store: inOrder });
    await undisturbed.catchUp();
    expect(await undisturbed.digest('leads')).toBe(digest);
    await undisturbed.stop();
    await inOrder.close();
  });

  it('stay at their position while paused, and continue from there', async () => {
    await write(store, story.slice(0, 3));
    await upToDate();
    await readModels.pause('orders');
    await write(store, story.slice(3));
    const head = await store.head();
    expect(await readModels.waitFor(head, 300)).toBe(false);
    expect(await readModels.queries.orders.find(staff, 'o2')).toBeUndefined();
    expect((await readModels.queries.leads.stock(staff)).length).toBeGreaterThan(0);
    await expect(readModels.catchUp()).rejects.toThrow(Paused);
    await readModels.stop();
    readModels = await openReadModels({ store, ...home.place });
    readModels.start();
    expect(await readModels.waitFor(head, 300)).toBe(false);
    await readModels.resume('orders');
    await upToDate();
    const digest = await readModels.digest('orders');
    await readModels.rebuild('orders');
    expect(await readModels.digest('orders')).toBe(digest);
  });

  it('answer nothing before they have been built', async () => {
    await readModels.stop();
    await write(store, story);
    const fresh = await makeHome();
    readModels = await openReadModels({ store, ...fresh.place });
    await expect(readModels.queries.orders.find(staff, 'o1')).rejects.toThrow(BeingBuilt);
    expect((await readModels.status()).map(({ whole }) => whole)).not.toContain(true);
    readModels.start();
    await upToDate();
    expect(await readModels.queries.orders.find(staff, 'o1')).toMatchObject({ status: 'paused' });
    expect((await readModels.status()).map(({ whole }) => whole)).not.toContain(false);
    await readModels.stop();
    await fresh.remove();
    readModels = await openReadModels({ store, ...home.place });
  });

  it('stop a rebuild that is cancelled, and allow one rebuild at a time', async () => {
    await write(store, story);
    await upToDate();
    const rebuilding = readModels.rebuild('orders');
    await expect(readModels.rebuild('orders')).rejects.toThrow(AlreadyRebuilding);
    expect(readModels.cancelRebuild('orders')).toBe(true);
    await expect(rebuilding).rejects.toThrow(RebuildCancelled);
    expect(readModels.cancelRebuild('orders')).toBe(false);
    await readModels.rebuild('orders');
  });

  it('answer while they are rebuilt', async () => {
    await write(store, story);
    await upToDate();
    let done = false;
    const rebuilding = readModels.rebuild('orders').finally(() => {
      done = true;
    });
    while (!done) expect(await readModels.queries.orders.find(staff, 'o1')).toMatchObject({ status: 'paused' });
    await rebuilding;
    await write(store, [['order-o1', { type: 'OrderRestarted', data: { at: at(10) } }]]);
    await upToDate();
    expect(await readModels.queries.orders.find(staff, 'o1')).toMatchObject({ status: 'open' });
    await expect(readModels.rebuild('none')).rejects.toThrow(UnknownModel);
  });

  it('are rebuilt when they followed another log', async () => {
    await write(store, story);
    await upToDate();
    await readModels.stop();
    const empty = await openEmbeddedStore();
    readModels = await openReadModels({ store: empty, ...home.place });
    readModels.start();
    await write(empty, story.slice(0, 1));
    expect(await readModels.waitFor(await empty.head(), FAR_AWAY_MILLISECONDS)).toBe(true);
    expect(await readModels.queries.orders.find(staff, 'o1')).toBeUndefined();
    await readModels.stop();
    await empty.close();
    readModels = await openReadModels({ store, ...home.place });
  });

  it('are rebuilt when their log was restored from an older copy, also when it has grown since', async () => {
    const [live, backup] = ['live', 'backup'].map(() => mkdtempSync(join(tmpdir(), 'leadger-log-'))) as [
      string,
      string,
    ];
    const follow = async (events: readonly Written[]) => {
      const log = await openEmbeddedStore({ directory: live });
      await write(log, events);
      const followers = await openReadModels({ store: log, ...home.place });
      followers.start();
      expect(await followers.waitFor(await log.head(), FAR_AWAY_MILLISECONDS)).toBe(true);
      const orders = (await followers.queries.orders.list(staff, { limit: 50 })).items.map(({ orderId }) => orderId);
      await followers.stop();
      await log.close();
      return orders.sort();
    };
    const placed = (...ids: string[]) => ids.map((id) => orderPlaced(id, 'c1', 1));
    await readModels.stop();
    expect(await follow([...story.slice(0, 1), ...placed('kept')])).toEqual(['kept']);
    cpSync(live, backup, { recursive: true });
    expect(await follow(placed('lost'))).toEqual(['kept', 'lost']);
    rmSync(live, { recursive: true });
    cpSync(backup, live, { recursive: true });
    expect(await follow(placed('new1', 'new2', 'lost'))).toEqual(['kept', 'lost', 'new1', 'new2']);
    for (const directory of [live, backup]) rmSync(directory, { recursive: true });
    readModels = await openReadModels({ store, ...home.place });
  });

  it('report when the time to wait is over', async () => {
    expect(await readModels.waitFor('9999999999999999' as never, 20)).toBe(false);
  });

  it('ask the log a few at a time whether it has a position, however many wait for one that it does not have', async () => {
    let asked = 0;
    let open = 0;
    let most = 0;
    const { placeAt } = store;
    store.placeAt = async (position) => {
      asked += 1;
      open += 1;
      most = Math.max(most, open);
      // Long enough for the others to ask, too.
      await new Promise((resolve) => setTimeout(resolve, 50));
      open -= 1;
      return placeAt.call(store, position);
    };
    const nowhere = '9999999999999999' as never;
    const waits = Array.from({ length: 20 }, () => readModels.waitFor(nowhere, FAR_AWAY_MILLISECONDS));
    for (const { status, reason } of (await Promise.allSettled(waits)) as PromiseRejectedResult[])
      expect([status, reason.code]).toEqual(['rejected', 'no-such-position']);
    store.placeAt = placeAt;
    // Three at a time for those who wait, and each read model for itself, once.
    expect(asked).toBeLessThanOrEqual(20 + models.length);
    expect(most).toBeLessThanOrEqual(3 + models.length);
  });

  it('continue an interrupted rebuild, and leave the live tables unchanged meanwhile', async () => {
    await write(store, story);
    await upToDate();
    const before = await digests();
    const cut = new AbortController();
    cut.abort(new Error('enough for today'));
    await expect(readModels.rebuild('orders', { signal: cut.signal })).rejects.toThrow('enough for today');
    expect(await digests()).toEqual(before);
    await readModels.rebuild('orders');
    expect(await digests()).toEqual(before);
  });
}

describe('read models on PGlite', () => {
  it('are the same however the log was cut into batches', async () => {
    const digestsOf = async (cuts: readonly number[]) => {
      const store = await openEmbeddedStore();
      const readModels = await openReadModels({ store });
      readModels.start();
      for (let from = 0, cut = 0; from < story.length; cut += 1) {
        const to = from + (cuts[cut % cuts.length] as number);
        await write(store, story.slice(from, to));
        expect(await readModels.waitFor(await store.head(), FAR_AWAY_MILLISECONDS)).toBe(true);
        from = to;
      }
      const digests = await Promise.all(readModels.names.map((name) => readModels.digest(name)));
      await readModels.stop();
      await store.close();
      return digests;
    };
    const whole = await digestsOf([story.length]);
    const someCuts = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 8, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(someCuts, async (cuts) => expect(await digestsOf(cuts)).toEqual(whole)),
      { numRuns: 3 },
    );
  });

  it('are vacuumed and analysed while they grow, so that the database knows their size', async () => {
    const store = await openEmbeddedStore();
    const readModels = await openReadModels({ store });
    const appends = Array.from({ length: 11_000 }, (_, number) => write(store, [orderPlaced(`o${number}`, 'c1', 1)]));
    await Promise.all(appends);
    await readModels.catchUp();
    const question = `SELECT reltuples::integer FROM pg_class WHERE relname = 'orders'`;
    for await (const { rows } of readModels.analyse(question, { timeoutSeconds: FAR_AWAY_SECONDS }))
      expect(rows[0]?.[0]).toBeGreaterThanOrEqual(10_000);
    await readModels.stop();
    await store.close();
  });

  it('open a database of the version that numbered its models, rebuild the rows, and drop those of that version', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'leadger-spec-'));
    const store = await openEmbeddedStore();
    await write(store, story);
    const old = await openReadModels({ store, directory });
    await old.catchUp();
    const digest = await old.digest('orders');
    const version = (await old.status()).find(({ name }) => name === 'orders')?.version;
    await old.stop();
    const database = await openEmbeddedDatabase(directory);
    const db = new Kysely({ dialect: database.dialect });
    await sql.raw(`ALTER SCHEMA orders_${version} RENAME TO orders_v4`).execute(db);
    await sql`UPDATE read_models.copies SET schema = 'orders_v4' WHERE model = 'orders'`.execute(db);
    await db.destroy();
    database.closed();

    let readModels = await openReadModels({ store, directory });
    await expect(readModels.queries.orders.find(staff, 'o1')).rejects.toThrow(BeingBuilt);
    await readModels.catchUp();
    expect(await readModels.digest('orders')).toBe(digest);
    await readModels.stop();
    readModels = await openReadModels({ store, directory });
    const question = `SELECT count(*)::integer FROM pg_namespace WHERE nspname = 'orders_v4'`;
    for await (const { rows } of readModels.analyse(question, { timeoutSeconds: FAR_AWAY_SECONDS }))
      expect(rows).toEqual([[0]]);
    expect(await readModels.queries.orders.find(staff, 'o1')).toMatchObject({ status: 'paused' });
    await readModels.stop();
    await store.close();
    rmSync(directory, { recursive: true });
  });

  it('are rebuilt when they were last written before the machine crashed', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'leadger-spec-'));
    const store = await openEmbeddedStore();
    const open = () => openReadModels({ store, directory });
    await write(store, story);
    let readModels = await open();
    readModels.start();
    expect(await readModels.waitFor(await store.head(), FAR_AWAY_MILLISECONDS)).toBe(true);
    const before = await readModels.digest('orders');
    await readModels.stop();
    writeFileSync(join(directory, 'in-use'), 'another life');
    readModels = await open();
    expect((await readModels.status()).every(({ position }) => position === '')).toBe(true);
    readModels.start();
    expect(await readModels.waitFor(await store.head(), FAR_AWAY_MILLISECONDS)).toBe(true);
    expect(await readModels.digest('orders')).toBe(before);
    await readModels.stop();
    await store.close();
    rmSync(directory, { recursive: true });
  });
});

describeWithPostgres('read models that several programs share', () => {
  let url: string;
  let drop: () => Promise<void>;
  let store: EventStore;
  const opened: ReadModels[] = [];
  const open = async () => {
    const readModels = await openReadModels({ store, databaseUrl: url });
    opened.push(readModels);
    return readModels;
  };
  beforeEach(async () => {
    ({ url, drop } = await freshDatabase());
    store = await openEmbeddedStore();
  });
  afterEach(async () => {
    for (const readModels of opened.splice(0)) await readModels.stop();
    await store.close();
    await drop();
  });

  it('are created once when programs start at the same time; a program that only reads waits for one that follows', async () => {
    const [reading, following] = await Promise.all([open(), open()]);
    await write(store, story);
    expect(await reading.waitFor(await store.head(), 50)).toBe(false);
    following.start();
    expect(await reading.waitFor(await store.head(), FAR_AWAY_MILLISECONDS)).toBe(true);
    expect(await reading.queries.orders.find(staff, 'o1')).toMatchObject({ status: 'paused', deliveredLeads: 1 });
    expect((await reading.status()).map(({ position }) => position)).toEqual(
      (await following.status()).map(({ position }) => position),
    );
  });

  it('count each event once when two programs follow the log at the same time', async () => {
    const [one, other] = await Promise.all([open(), open()]);
    one.start();
    other.start();
    for (let order = 0; order < 40; order += 1) {
      await write(store, [orderPlaced(`o${order}`, 'c1', 1), leadDelivered(`l${order}`, `o${order}`, 'c1')]);
    }
    expect(await one.waitFor(await store.head(), FAR_AWAY_MILLISECONDS)).toBe(true);
    const digest = await one.digest('orders');
    await one.rebuild('orders');
    expect(await one.digest('orders')).toBe(digest);
    expect(
      (await one.queries.orders.list(staff, { limit: 50 })).items.map(({ deliveredLeads }) => deliveredLeads),
    ).toEqual(Array.from({ length: 40 }, () => 1));
  });

  it('are built for a new version beside the old ones, which are dropped when no program uses them any more', async () => {
    await write(store, story);
    const old = await open();
    await old.catchUp();
    const digest = await old.digest('orders');
    const client = new Client(url);
    await client.connect();
    const schema = `orders_${(await old.status()).find(({ name }) => name === 'orders')?.version}`;
    await client.query(`ALTER SCHEMA ${schema} RENAME TO orders_v0`);
    await client.query(`UPDATE read_models.copies SET schema = 'orders_v0' WHERE schema = '${schema}'`);
    const ordersOfOld = async () =>
      (await client.query('SELECT count(*)::int AS count FROM orders_v0.orders')).rows[0].count as number;

    const current = await open();
    await expect(current.queries.orders.find(staff, 'o1')).rejects.toThrow(BeingBuilt);
    expect(await ordersOfOld()).toBe(2);
    current.start();
    expect(await current.waitFor(await store.head(), FAR_AWAY_MILLISECONDS)).toBe(true);
    expect(await current.digest('orders')).toBe(digest);
    await open();
    expect(await ordersOfOld()).toBe(2);
    await client.query(`UPDATE read_models.copies SET used_at = now() - interval '2 days' WHERE schema = 'orders_v0'`);
    await open();
    await expect(ordersOfOld()).rejects.toThrow('does not exist');
    await client.end();
  });

  it('have the same rows as on PGlite', async () => {
    await write(store, story);
    const shared = await open();
    const embedded = await openReadModels({ store });
    opened.push(embedded);
    for (const readModels of [shared, embedded]) {
      readModels.start();
      expect(await readModels.waitFor(await store.head(), FAR_AWAY_MILLISECONDS)).toBe(true);
    }
    for (const name of shared.names) expect(await shared.digest(name)).toBe(await embedded.digest(name));
    expect(await shared.queries.orders.list(staff, { limit: 9 })).toEqual(
      await embedded.queries.orders.list(staff, { limit: 9 }),
    );
  });

  it('continue where they stopped when the database closes all connections', async () => {
    const readModels = await open();
    readModels.start();
    await write(store, story.slice(0, 9));
    expect(await readModels.waitFor(await store.head(), FAR_AWAY_MILLISECONDS)).toBe(true);
    const client = new Client(url);
    await client.connect();
    await client.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );
    await client.end();
    await write(store, story.slice(9));
    expect(await readModels.waitFor(await store.head(), FAR_AWAY_MILLISECONDS)).toBe(true);
    const digests = await Promise.all(readModels.names.map((name) => readModels.digest(name)));
    for (const name of readModels.names) await readModels.rebuild(name);
    expect(await Promise.all(readModels.names.map((name) => readModels.digest(name)))).toEqual(digests);
    expect((await readModels.status()).flatMap(({ parkedStreams }) => parkedStreams)).toEqual([]);
  });
});
