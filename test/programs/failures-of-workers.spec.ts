import { startEventStoreDb, type TestEventStoreDb } from '#test/event-stores/event-stores';
import { describeWithPostgres, freshDatabase } from '#test/postgres/database';
import { waitUntil } from '#test/wait-until';
import { receiveTelemetry } from './otlp-receiver.ts';
import { Program } from './program.ts';

// biome-ignore lint/suspicious/noExplicitAny: a client looks into answers without our types
type Answer = any;

describeWithPostgres('an API and a worker whose mail server is out of reach', () => {
  let events: TestEventStoreDb;
  let database: Awaited<ReturnType<typeof freshDatabase>>;
  let collector: Awaited<ReturnType<typeof receiveTelemetry>>;
  let programs: Program[];
  let url: string;
  beforeAll(async () => {
    [events, database, collector] = await Promise.all([startEventStoreDb(), freshDatabase(), receiveTelemetry()]);
    programs = [start('api'), start('worker')];
    await programs[1]?.says(/is ready/);
    url = (await programs[0]?.says(/ready: (\S+)/))?.[1] as string;
  });
  afterAll(async () => {
    for (const program of programs) await program.kill();
    await collector.close();
    await events.close();
    await database.drop();
  });

  const start = (name: 'api' | 'worker') =>
    new Program(name, ['--port', '0'], {
      LEADGER_EVENTS: events.connectionString,
      DATABASE_URL: database.url,
      LEADGER_MASTER_KEY: '07'.repeat(32),
      LEADGER_LEASE_SECONDS: '3',
      LEADGER_FAILING_SECONDS: '1',
      SMTP_URL: 'smtp://127.0.0.1:9',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/v1/traces`,
    });
  const ask = async (path: string, body?: unknown): Promise<Answer> => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(url + path, body ? { method: 'POST', headers, body: JSON.stringify(body) } : {});
    return response.json();
  };

  test('the API says what the worker cannot do, and one trace has what both did', async () => {
    const customer = { storeId: 'main', businessAssociation: 'A.B.C.', timeZone: 'UTC', email: 'ada@example.org' };
    const { customerId } = await ask('/api/customers', customer);
    await ask('/api/orders', { customerId, leadTypeId: 'exclusive-fresh', quantity: 10, paymentToken: 'tok_ok' });
    await waitUntil(async () =>
      (await ask('/health')).degradedBy.some(({ name }: { name: string }) => name === 'send-mail'),
    );
    await waitUntil(async () => {
      const { items } = await ask('/api/attention?reason=mail-waiting');
      return items.some((item: { customerId: string; why: string }) => item.customerId === customerId && item.why);
    });
    expect(programs[1]?.stderr).toMatch(/"program":"worker".*"kind":"effect","name":"send-mail","outcome":"failed"/);

    const placed = () => collector.spans().find(({ name }) => name === 'command PlaceOrder');
    const trace = () => collector.spans().filter(({ traceId }) => traceId === placed()?.traceId);
    await waitUntil(() => trace().some(({ name }) => name === 'effect send-mail'));
    const programOf = (name: string) => trace().find((span) => span.name === name)?.program;
    expect(programOf('POST /api/orders')).toBe('leadger-api');
    expect(programOf('effect capture-payment')).toBe('leadger-worker');
    const wish = trace().find(({ name }) => name === 'process payment-capture');
    expect(trace().find(({ spanId }) => spanId === wish?.parentSpanId)).toMatchObject({
      name: 'append order',
      program: 'leadger-api',
    });
  });
});
