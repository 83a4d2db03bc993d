import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventStore } from '#event-store/port';
import { views } from '#read-models/analytics';
import { LOG_POSITION, type View } from '#read-models/analytics/view';
import { BIGINT, DATE, DOUBLE_PRECISION, INTEGER, TEXT, TIMESTAMPTZ } from '#read-models/engine/parsers';
import { QueryFailed } from '#read-models/errors';
import { openReadModels, type ReadModels } from '#read-models/read-models';
import { openShop, type Shop } from '#test/acceptance/shop';
import { describeWithPostgres, freshDatabase } from '#test/postgres/database';
import { FAR_AWAY_MILLISECONDS, FAR_AWAY_SECONDS } from '#test/wait-until';
import { EVENT_STORE, READ_MODELS } from '#wiring/tokens';

const TYPE = 'exclusive-fresh';
const HOUR = 3600;
/** Each has an equivalent in Parquet; numeric has none. */
const TYPES_OF_VIEWS = [TEXT, DATE, TIMESTAMPTZ, INTEGER, BIGINT, DOUBLE_PRECISION];

let shop: Shop;
let log: EventStore;
beforeAll(async () => {
  shop = await openShop();
  await live(shop);
  log = shop.server.application.get(EVENT_STORE);
});
afterAll(() => shop.stop());

/** A month of a small store: two sources, a coupon, a bad lead, a programme that is renewed once, an order that waits. */
async function live(shop: Shop): Promise<void> {
  const lead = (source: string) => shop.lead(TYPE, { source });
  await shop.ask('POST', '/api/coupons', { couponCode: 'SPRING', storeIds: ['main'], discount: { percent: 10 } });
  const customerId = await shop.customer({ email: 'ada@example.com', name: { firstName: 'Ada', lastName: 'Byron' } });
  const checkout = { customerId, leadTypeId: TYPE, quantity: 10, loyalty: { cadence: 'weekly' } };
  const { checkoutId } = await shop.ask('POST', '/api/checkouts', checkout);
  await shop.try('PUT', `/api/checkouts/${checkoutId}/coupon`, { couponCode: 'Ada, +1 212 555 0100' });
  await shop.ask('PUT', `/api/checkouts/${checkoutId}/coupon`, { couponCode: 'SPRING' });
  const placed = await shop.ask('POST', `/api/checkouts/${checkoutId}/place`, { paymentToken: 'tok_ok' });
  const orderId = placed.orderId as string;

  await shop.wait({ hours: 2 });
  const bad = await lead('fair');
  const good = await lead('page');
  await shop.wait({ days: 1 });
  const asked = await shop.ask('POST', '/api/replacements', { orderId, leadId: bad, reason: 'wrong number' });
  await shop.wait({ hours: 3 });
  const staff = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'called' };
  await shop.ask('POST', `/api/replacements/${asked.replacementId}/grant`, undefined, 200, staff);
  const kept = await shop.ask('POST', '/api/replacements', { orderId, leadId: good, reason: 'not interested' });
  await shop.ask('POST', `/api/replacements/${kept.replacementId}/goodwill`, undefined, 200, staff);
  await shop.ask('POST', `/api/orders/${orderId}/pause`);
  await shop.order(await shop.customer(), { leadTypeId: TYPE, paymentToken: 'tok_declined' });
  await shop.wait({ days: 8 });
  await shop.lead('shared-real-time', { source: 'page' });
  await shop.wait({ days: 20 });
}

const inTheShop = async () => ({
  readModels: shop.server.application.get<ReadModels>(READ_MODELS),
  close: async () => {},
});

const inPostgres = async () => {
  const { url, drop } = await freshDatabase();
  const readModels = await openReadModels({ store: log, databaseUrl: url });
  await readModels.catchUp();
  const close = async () => {
    await readModels.stop();
    await drop();
  };
  return { readModels, close };
};

describe('views for analysts, on PGlite,', () => describeAnalytics(inTheShop));
describeWithPostgres('what analysts are promised, on PostgreSQL,', () => describeAnalytics(inPostgres));

function describeAnalytics(open: () => Promise<{ readModels: ReadModels; close(): Promise<void> }>) {
  let readModels: ReadModels;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ readModels, close } = await open());
    await readModels.waitFor(await log.head(), FAR_AWAY_MILLISECONDS);
  });
  afterAll(() => close());

  const ask = async (query: string, timeoutSeconds = FAR_AWAY_SECONDS) => {
    let columns: readonly string[] = [];
    let types: readonly number[] = [];
    const rows: (readonly unknown[])[] = [];
    for await (const answer of readModels.analyse(query, { timeoutSeconds })) {
      ({ columns, types } = answer);
      rows.push(...answer.rows);
    }
    return { columns, types, rows };
  };
  /** The rows of a view as objects, without the position. */
  const rowsOf = async (query: string) => {
    const { columns, rows } = await ask(query);
    return rows.map((row) => Object.fromEntries(columns.map((column, index) => [column, row[index]])));
  };
  const sum = async (view: string, ...columns: string[]) =>
    (await ask(`SELECT ${columns.map((column) => `sum(${column})`).join(', ')} FROM ${view}`)).rows[0];

  test.each(views.map((view): [string, View] => [view.name, view]))(
    '%s has the documented columns and has rows here, and its example works',
    async (name, { columns, example: [, query] }) => {
      const answer = await ask(`SELECT * FROM ${name}`);
      expect(answer.columns).toEqual(Object.keys({ ...columns, ...LOG_POSITION }));
      expect(answer.types.filter((type) => !TYPES_OF_VIEWS.includes(type))).toEqual([]);
      expect(answer.rows.length).toBeGreaterThan(0);
      expect((await ask(query)).columns.length).toBeGreaterThan(0);
    },
  );

  test('sales and revenue: money counts when it was captured, and not when the payment was declined', async () => {
    expect(await rowsOf('SELECT * FROM sales_by_day ORDER BY day LIMIT 1')).toMatchObject([
      { day: '2026-03-02', store_id: 'main', lead_type_id: TYPE, currency: 'USD', orders: 1, ordered_leads: 10 },
    ]);
    const [orders, renewals, discount, revenue] = (await sum(
      'sales_by_day',
      'orders',
      'renewals',
      'discount_cents',
      'revenue_cents',
    )) as [number, number, number, number];
    expect([orders, discount]).toEqual([2, 600]);
    expect(renewals).toBeGreaterThan(0);
    expect(revenue).toBe(5400 + renewals * 6000);
    expect(await rowsOf('SELECT code, paid_orders, discount_cents, revenue_cents FROM coupon_sales')).toEqual([
      { code: 'SPRING', paid_orders: 1, discount_cents: 600, revenue_cents: 5400 },
    ]);
    expect((await sum('programme_retention', 'renewed', 'revenue_cents')) as unknown[]).toEqual([
      renewals,
      renewals * 6000,
    ]);
  });

  test('waiting times of orders, and returned leads by source', async () => {
    expect(await rowsOf('SELECT orders, served_orders, wait_p50_seconds FROM time_to_first_lead')).toEqual([
      { orders: 1, served_orders: 1, wait_p50_seconds: 2 * HOUR },
    ]);
    expect(
      await rowsOf(
        'SELECT source, deliveries, granted_returns, goodwill_returns, granted_rate FROM return_rate ORDER BY 1',
      ),
    ).toEqual([
      { source: 'fair', deliveries: 1, granted_returns: 1, goodwill_returns: 0, granted_rate: 1 },
      { source: 'page', deliveries: 1, granted_returns: 0, goodwill_returns: 1, granted_rate: 0 },
    ]);
    expect(
      await rowsOf('SELECT reason, source, goodwill_returns, verdict_p50_seconds FROM returns_by_day ORDER BY 2'),
    ).toEqual([
      { reason: 'wrong-number', source: 'fair', goodwill_returns: 0, verdict_p50_seconds: 3 * HOUR },
      { reason: 'not-interested', source: 'page', goodwill_returns: 1, verdict_p50_seconds: 0 },
    ]);
    expect(await rowsOf('SELECT owed_replacements FROM replacement_debt')).toEqual([{ owed_replacements: 2 }]);
    expect(await sum('supply_by_day', 'leads', 'withdrawn_leads', 'aged_leads', 'leads_in_stock')).toEqual([
      3, 1, 1, 1,
    ]);
  });

  test('no personal data: codes as typed are not shown, and no column has sealed or opened data', async () => {
    expect(await rowsOf('SELECT code, outcome, attempts FROM coupon_attempts ORDER BY 1')).toEqual([
      { code: 'SPRING', outcome: 'used', attempts: 1 },
    ]);
    const everything = await Promise.all(views.map(({ name }) => ask(`SELECT * FROM ${name}`)));
    expect(JSON.stringify(everything)).not.toMatch(/Ada|Byron|@|21[23]\W*555\W*0\d{3}|"box"|keyId/);
  });

  test('each row has the log position up to which it is current', async () => {
    const { rows } = await ask('SELECT DISTINCT log_position FROM mail_outcomes');
    const mails = (await readModels.status()).find(({ name }) => name === 'mails');
    expect(rows).toHaveLength(1);
    expect((rows[0] as [string])[0] <= (mails?.position as string)).toBe(true);
    expect((rows[0] as [string])[0]).toMatch(/^\d+$/);
  });

  test('the views are created again when a rebuilt model is switched in, and return the same rows', async () => {
    const before = await ask('SELECT * FROM fill_rate ORDER BY 1, 2, 3');
    for (const name of readModels.names) await readModels.rebuild(name);
    const after = await ask('SELECT * FROM fill_rate ORDER BY 1, 2, 3');
    const withoutPosition = ({ rows }: typeof after) => rows.map((row) => row.slice(0, -1));
    expect(withoutPosition(after)).toEqual(withoutPosition(before));
    for (const { name } of views) expect((await ask(`SELECT * FROM ${name}`)).rows.length).toBeGreaterThan(0);
  });

  test.each([
    ['SELECT * FROM read_models.copies', /permission denied for schema read_models/],
    ['SELECT 1; DROP SCHEMA analytics CASCADE', /cannot insert multiple commands/],
    ['DELETE FROM fill_rate', /syntax error at or near "DELETE": a query is one SELECT/],
    ['SELECT 1 FROM nothing', /relation "nothing" does not exist/],
    ['SELECT 1 / (orders - orders) FROM fill_rate', /division by zero/],
    [
      'WITH gone AS (DELETE FROM fill_rate RETURNING 1) SELECT * FROM gone',
      /DECLARE CURSOR must not contain data-modifying/,
    ],
    ['SELECT * FROM pg_statistic', /permission denied for table pg_statistic/],
    ["SELECT set_config('transaction_read_only', 'off', true)", /must be set before any query/],
    ["SELECT pg_read_file('PG_VERSION')", /permission denied for function pg_read_file/],
    ["SELECT pg_read_binary_file('PG_VERSION')", /permission denied for function pg_read_binary_file/],
    ["SELECT pg_ls_dir('.')", /permission denied for function pg_ls_dir/],
    ["SELECT pg_stat_file('PG_VERSION')", /permission denied for function pg_stat_file/],
    ["SELECT lo_import('PG_VERSION')", /permission denied for function lo_import/],
    ["SELECT lo_export(1, 'copy')", /permission denied for function lo_export/],
    ['SELECT * FROM pg_largeobject', /permission denied for table pg_largeobject/],
    ['SELECT * FROM pg_authid', /permission denied for table pg_authid/],
    ["SELECT current_setting('config_file')", /(permission denied|must be superuser .*) to examine "config_file"/],
    ["SELECT dblink('', 'SELECT 1')", /function dblink\(unknown, unknown\) does not exist/],
    ["COPY (SELECT 1) TO PROGRAM 'cat'", /syntax error at or near "COPY"/],
  ])('%s is refused', async (query, reason) => {
    const refused = ask(query);
    await expect(refused).rejects.toThrow(QueryFailed);
    await expect(refused).rejects.toThrow(reason);
    expect((await ask('SELECT * FROM fill_rate')).rows.length).toBeGreaterThan(0);
  });

  test('the tables of read models are refused: only the views are for analysts', async () => {
    const leads = (await readModels.status()).find(({ name }) => name === 'leads');
    const schema = `leads_${leads?.version}`;
    await expect(ask(`SELECT * FROM ${schema}.leads`)).rejects.toThrow(
      `permission denied for schema ${schema}: only the views in the schema analytics`,
    );
  });

  test('the database’s catalogues list the columns of these views only, and nothing runs with its owner’s rights', async () => {
    const ours = "NOT IN ('pg_catalog', 'information_schema')";
    expect(
      await rowsOf(`SELECT DISTINCT table_schema FROM information_schema.columns WHERE table_schema ${ours}`),
    ).toEqual([{ table_schema: 'analytics' }]);
    expect(await rowsOf(`SELECT * FROM pg_stats WHERE schemaname ${ours}`)).toEqual([]);
    expect(await rowsOf('SELECT proname FROM pg_proc WHERE prosecdef')).toEqual([]);
  });

  test('long results arrive in pieces; empty results have their columns', async () => {
    expect((await ask('SELECT n FROM generate_series(1, 1500) AS n')).rows).toHaveLength(1500);
    expect(await ask('SELECT 1 AS one, 2 AS one WHERE false')).toMatchObject({ columns: ['one', 'one'], rows: [] });
    for await (const { rows } of readModels.analyse('SELECT generate_series(1, 5000)', {
      timeoutSeconds: FAR_AWAY_SECONDS,
    })) {
      expect(rows).toHaveLength(500);
      break;
    }
    expect((await ask('SELECT 1')).rows).toEqual([[1]]);
  });
}

test('a renewal that is not yet due does not count as missed; a renewal that never comes because the customer left does', async () => {
  const club = await openShop();
  const join = async (paymentToken = 'tok_ok') => {
    const order = { leadTypeId: TYPE, quantity: 10, paymentToken, loyalty: { cadence: 'weekly' } };
    return club.order(await club.customer(), order);
  };
  const retention = async () => {
    const readModels = club.server.application.get<ReadModels>(READ_MODELS);
    const query = 'SELECT renewal_number, programmes, due, renewed, retention FROM programme_retention ORDER BY 1';
    await readModels.waitFor(await club.server.application.get<EventStore>(EVENT_STORE).head(), FAR_AWAY_MILLISECONDS);
    const rows: (readonly unknown[])[] = [];
    for await (const answer of readModels.analyse(query, { timeoutSeconds: FAR_AWAY_SECONDS }))
      rows.push(...answer.rows);
    return rows;
  };
  await join();
  const left = await join();
  await join('tok_declined');
  await club.wait({ days: 3 });
  await club.ask('POST', `/api/programmes/${left}/cancel`);
  await join();
  expect(await retention()).toEqual([]);
  await club.wait({ days: 5 });
  expect(await retention()).toEqual([[1, 3, 2, 1, 0.5]]);
  await club.wait({ days: 3 });
  expect(await retention()).toEqual([[1, 3, 3, 2, 2 / 3]]);
  await club.wait({ days: 4 });
  expect(await retention()).toEqual([
    [1, 3, 3, 2, 2 / 3],
    [2, 3, 2, 1, 0.5],
  ]);
  await club.stop();
});

test('renewals of one month and lead type are summed by currency', async () => {
  const club = await openShop();
  const price = { storeId: 'main', leadTypeId: TYPE, pricePerLeadCents: 700, currency: 'EUR' };
  const order = { leadTypeId: TYPE, quantity: 10, loyalty: { cadence: 'weekly' } };
  await club.order(await club.customer(), order);
  await club.ask('POST', '/api/prices', { ...price, smallestOrder: 1, largestOrder: 100 });
  await club.order(await club.customer(), order);
  await club.wait({ days: 8 });
  const readModels = club.server.application.get<ReadModels>(READ_MODELS);
  await readModels.waitFor(await club.server.application.get<EventStore>(EVENT_STORE).head(), FAR_AWAY_MILLISECONDS);
  const query = 'SELECT currency, renewed, revenue_cents FROM programme_retention ORDER BY 1';
  const rows: (readonly unknown[])[] = [];
  for await (const answer of readModels.analyse(query, { timeoutSeconds: FAR_AWAY_SECONDS })) rows.push(...answer.rows);
  expect(rows).toEqual([
    ['EUR', 1, 7000],
    ['USD', 1, 6000],
  ]);
  await club.stop();
});

test('on PGlite, a statement that takes too long is ended together with the database; the files stay intact', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'leadger-analytics-'));
  const readModels = await openReadModels({ store: log, directory });
  await readModels.catchUp();
  const digest = await readModels.digest('orders');
  const endless = readModels.analyse('SELECT count(*) FROM generate_series(1, 1000000000000)', { timeoutSeconds: 1 });
  await expect(endless.next()).rejects.toThrow('there was no answer after 1 s');
  await readModels.stop();
  const again = await openReadModels({ store: log, directory });
  expect(await again.digest('orders')).toBe(digest);
  await again.stop();
  await rm(directory, { recursive: true });
});

describeWithPostgres('a statement that takes too long', () => {
  test('is ended by PostgreSQL', async () => {
    const { readModels, close } = await inPostgres();
    const endless = readModels.analyse('SELECT count(*) FROM generate_series(1, 1000000000000)', { timeoutSeconds: 1 });
    await expect(endless.next()).rejects.toThrow('there was no answer after 1 s');
    await close();
  });
});
