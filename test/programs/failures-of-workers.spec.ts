import { describeWithPostgres } from '#test/postgres/database';
import { waitUntil } from '#test/wait-until';
import { type Answer, addressOf, clientOf, ProgramsOnServers } from './on-servers.ts';
import { receiveTelemetry } from './otlp-receiver.ts';
import type { Program } from './program.ts';

describeWithPostgres('an API and a worker whose mail server is out of reach', () => {
  let collector: Awaited<ReturnType<typeof receiveTelemetry>>;
  let programs: ProgramsOnServers;
  let worker: Program;
  let url: string;
  let ask: ReturnType<typeof clientOf>;
  beforeAll(async () => {
    collector = await receiveTelemetry();
    programs = await ProgramsOnServers.open({
      LEADGER_LEASE_SECONDS: '3',
      LEADGER_FAILING_SECONDS: '1',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/v1/traces`,
    });
    const api = programs.start('api');
    worker = programs.start('worker');
    url = await addressOf(api);
    ask = clientOf(url);
    await addressOf(worker);
  });
  afterAll(async () => {
    await programs.close();
    await collector.close();
  });

  test('the API says what the worker cannot do, and one trace has what both did', async () => {
    const customer = { storeId: 'main', businessAssociation: 'A.B.C.', timeZone: 'UTC', email: 'ada@example.org' };
    const { customerId } = await ask('/api/customers', customer);
    await ask('/api/orders', { customerId, leadTypeId: 'exclusive-fresh', quantity: 10, paymentToken: 'tok_ok' });
    // It may be 503.
    const health = async (): Promise<Answer> => (await fetch(`${url}/health`)).json();
    await waitUntil(async () => (await health()).degradedBy.some(({ name }: { name: string }) => name === 'send-mail'));
    await waitUntil(async () => {
      const { items } = await ask('/api/attention?reason=mail-waiting');
      return items.some((item: { customerId: string; why: string }) => item.customerId === customerId && item.why);
    });
    expect(worker.stderr).toMatch(/"program":"worker".*"kind":"effect","name":"send-mail","outcome":"failed"/);

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
