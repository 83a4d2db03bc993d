import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { receiveTelemetry, type Span } from './otlp-receiver.ts';
import { Program, serve } from './program.ts';

let directory: string;
let collector: Awaited<ReturnType<typeof receiveTelemetry>>;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'leadger-telemetry-'));
  collector = await receiveTelemetry();
});
afterAll(async () => {
  await collector.close();
  await rm(directory, { recursive: true });
});

const CANARY = 'canarina@example.org';

async function post(url: string, path: string, body: object) {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
  expect({ status: response.status, path }).toEqual({ status: 201, path });
  return (await response.json()) as { customerId: string; orderId: string };
}

/** Registers a customer who orders and pays, and stops the program when all of it is in the read models. */
async function runStore(
  environment: Record<string, string>,
  until = async () => {},
): Promise<{ orderId: string; stderr: string }> {
  const { program, url } = await serve(await mkdtemp(join(directory, 'store-')), environment);
  const { customerId } = await post(url, '/api/customers', {
    storeId: 'main',
    businessAssociation: 'Canary Roofing',
    timeZone: 'UTC',
    email: CANARY,
    name: { firstName: 'Canarina', lastName: 'Canary' },
  });
  const { orderId } = await post(url, '/api/orders', {
    customerId,
    leadTypeId: 'exclusive-fresh',
    quantity: 10,
    paymentToken: 'tok_ok',
  });
  await post(url, '/api/leads', {
    leadTypeId: 'exclusive-fresh',
    source: 'page',
    contact: { firstName: 'Canarius', telephone: '+12125550142', email: `lead.${CANARY}` },
  });
  await delivered(url, orderId);
  await until();
  const { stderr } = await stopped(program);
  return { orderId, stderr };
}

async function delivered(url: string, orderId: string): Promise<void> {
  for (;;) {
    const found = await fetch(`${url}/api/orders/${orderId}`);
    if (found.ok && ((await found.json()) as { deliveredLeads: number }).deliveredLeads === 1) return;
    await wait(50);
  }
}

async function stopped(program: Program) {
  const ended = await program.stop();
  expect(ended.code).toBe(0);
  return ended;
}

test('one trace leads from the request over command, append, process and call to the rows', async () => {
  const environment = {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_METRIC_EXPORT_INTERVAL: '500',
    LEADGER_LOG_LEVEL: 'trace',
  };
  const { orderId, stderr } = await runStore(environment, async () => {
    while (!collector.metricNames().includes('leadger_read_model_lag_events')) await wait(50);
  });
  const spans = collector.spans();
  const placed = spans.find(({ name }) => name === 'command PlaceOrder') as Span;
  const trace = spans.filter(({ traceId }) => traceId === placed.traceId);
  const parentOf = (span: Span | undefined) => trace.find(({ spanId }) => spanId === span?.parentSpanId);
  const row = trace.find((span) => span.name === 'row orders' && attribute(span, 'event') === 'PaymentCaptured');
  const path = [row];
  while (path.at(-1)?.parentSpanId) path.push(parentOf(path.at(-1)));
  expect(path.map((span) => span?.name)).toEqual([
    'row orders',
    'append order',
    'command CapturePayment',
    'process payment-capture',
    'append order',
    'command PlaceOrder',
    'POST /api/orders',
  ]);
  const call = trace.find(({ name }) => name === 'effect capture-payment');
  expect(parentOf(call)?.name).toBe('process payment-capture');
  expect(attribute(call, 'stream')).toBe(`order-${orderId}`);
  expect(new Set(trace.map(({ program }) => program))).toEqual(new Set(['leadger-standalone']));

  expect(collector.metricNames()).toEqual(
    expect.arrayContaining(['leadger.activity.duration', 'leadger_process_parked', 'leadger_read_model_lag_events']),
  );
  const correlationId = attribute(call, 'correlation_id');
  const lines = stderr.split('\n').filter((line) => line.includes(`"correlationId":"${correlationId}"`));
  expect(lines.map((line) => JSON.parse(line).kind)).toEqual(
    expect.arrayContaining(['request', 'command', 'append', 'process', 'effect', 'row']),
  );
});

const attribute = (span: Span | undefined, name: string) =>
  span?.attributes.find(({ key }) => key === `leadger.${name}`)?.value.stringValue;

test('neither traces, metrics nor the log at its finest level have personal data, or a card', async () => {
  const { stderr } = await runStore({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, LEADGER_LOG_LEVEL: 'trace' });
  expect(stderr).toContain('"kind":"effect"');
  expect(stderr.split('\n').filter((line) => /canar|5550142|example\.org/i.test(line))).toEqual([]);
  expect(/canar|5550142|example\.org/i.exec(collector.text())).toBeNull();
});

test('without an exporter nothing is sent', async () => {
  const before = collector.text();
  await runStore({});
  expect(collector.text()).toBe(before);
});
