import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProcessEngine } from '#processes/engine/engine';
import { eventsAreElsewhere } from '#test/event-stores/event-stores';
import { EVENT_STORE } from '#wiring/tokens';
import { type Server, startServer } from './server.ts';

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

test('health shows the store, the processes and the read models, and their lag', async () => {
  await server.settle();
  const position = await server.position();
  await server.call('GET', `/api/stock?waitFor=${position}`);
  const { status, body } = await server.call('GET', '/health');
  expect(status).toBe(200);
  expect(body).toMatchObject({ ok: true, store: { ok: true, position }, processes: { idle: true } });
  expect(body.processes.processes.map(({ name }: { name: string }) => name)).toContain('lead-distribution');
  expect(body.readModels.map(({ name }: { name: string }) => name)).toContain('orders');
  for (const model of body.readModels)
    expect(model).toMatchObject({ lagEvents: 0, lagSeconds: 0, parked: 0, paused: false, whole: true });
});

test('while the store is unreachable, health answers 503, and commands are answered with Retry-After', async () => {
  const other = await startServer();
  try {
    await other.settle();
    await other.application.get(EVENT_STORE).close();
    const health = await other.call('GET', '/health');
    expect(health).toMatchObject({
      status: 503,
      body: { ok: false, store: { ok: false, error: 'store-unavailable' } },
    });
    const command = await other.call('POST', '/api/orders/some/pause');
    expect(command).toMatchObject({ status: 503, body: { code: 'store-unavailable' } });
    expect(command.headers.get('retry-after')).toBe('5');
  } finally {
    await other.stop();
  }
});

/** On a server, only appending shows it. */
const testEmbedded = eventsAreElsewhere ? test.skip : test;

testEmbedded(
  'when the log was removed, health is red, although what was opened before can still be written',
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'leadger-removed-'));
    const other = await startServer({ directory });
    try {
      await other.settle();
      expect(await other.call('GET', '/health/ready')).toMatchObject({
        status: 200,
        body: { ok: true, store: { ok: true } },
      });
      await rm(join(directory, 'events'), { recursive: true });
      for (;;) {
        const { status, body } = await other.call('GET', '/health/ready');
        if (status !== 503) continue;
        expect(body).toMatchObject({ ok: false, store: { ok: false, error: 'damaged' } });
        break;
      }
      expect(await other.call('GET', '/health')).toMatchObject({ status: 503, body: { status: 'red' } });
      expect(await other.call('GET', '/health/live')).toMatchObject({ status: 200, body: { ok: true } });
      expect((await other.call('GET', '/metrics')).text).toMatch('leadger_event_store_ok 0');
    } finally {
      await other.stop();
      await rm(directory, { recursive: true });
    }
  },
);

test('an unexpected error is logged, and the answer gives no details', async () => {
  const engine = server.application.get(ProcessEngine);
  const defect = () => {
    throw new Error('secret of /etc/leadger');
  };
  Object.assign(engine, { parked: defect });
  const { status, body, text } = await server.call('GET', '/api/processes/parked');
  Reflect.deleteProperty(engine, 'parked');
  expect({ status, code: body.code }).toEqual({ status: 500, code: 'internal-error' });
  expect(text).not.toMatch(/secret|etc/);
  expect(server.errors.splice(0)).toEqual([expect.stringContaining('secret of /etc/leadger')]);
});

test('answers must not be cached', async () => {
  const { headers } = await server.call('GET', '/api/customers');
  expect(headers.get('cache-control')).toBe('no-store');
});

test('metrics count requests by route, never by id', async () => {
  await server.call('GET', '/api/customers/some');
  const { headers, text } = await server.call('GET', '/metrics');
  expect(headers.get('content-type')).toMatch('text/plain');
  expect(text).toMatch(
    /request_duration_seconds_count\{method="GET",route="\/api\/customers\/:customerId",status="404"\} 1/,
  );
  expect(text).toMatch('leadger_process_parked{process="lead-distribution"} 0');
  expect(text).toMatch(/leadger_read_model_lag_events\{model="orders"\} \d/);
  expect(text).toMatch(/leadger_read_model_lag_seconds\{model="orders"\} \d/);
  expect(text).toMatch(/leadger_read_model_events_total\{model="customers"\} \d/);
  expect(text).not.toMatch('/api/customers/some');
});

test('parked commands are listed, and only parked commands can be retried', async () => {
  expect((await server.call('GET', '/api/processes/parked')).body).toEqual({ items: [] });
  const { status, body } = await server.call('POST', '/api/processes/parked/lead-ageing%2Forder-1/retry');
  expect({ status, code: body.code }).toEqual({ status: 404, code: 'nothing-parked' });
});

test('a read model can be paused, resumed and rebuilt while the store runs; health shows which', async () => {
  const registration = { storeId: 'main', businessAssociation: 'A.B.C.', timeZone: 'UTC' };
  const paused = await server.call('POST', '/api/read-models/customers/pause');
  expect(paused).toMatchObject({ status: 200, body: { name: 'customers', paused: true } });
  const { body: customer } = await server.call('POST', '/api/customers', registration);
  expect((await server.call('GET', `/api/customers/${customer.customerId}`)).status).toBe(404);
  const customers = async () =>
    (await server.call('GET', '/health')).body.readModels.find(({ name }: { name: string }) => name === 'customers');
  expect(await customers()).toMatchObject({ paused: true });
  const resumed = await server.call('POST', '/api/read-models/customers/resume');
  expect(resumed).toMatchObject({ status: 200, body: { paused: false } });
  const found = `/api/customers/${customer.customerId}?waitFor=${customer.position}`;
  expect((await server.call('GET', found)).status).toBe(200);

  expect(await server.call('POST', '/api/read-models/customers/rebuild')).toMatchObject({ status: 200 });
  while ((await customers()).rebuiltUpTo !== undefined);
  expect((await server.call('GET', found)).status).toBe(200);
  expect((await server.call('GET', '/api/read-models')).body.items).toContainEqual(
    expect.objectContaining({ name: 'customers', parkedStreams: [], whole: true }),
  );
  expect(await server.call('POST', '/api/read-models/customers/rebuild/cancel')).toMatchObject({
    status: 404,
    body: { code: 'no-rebuild' },
  });
  for (const what of ['pause', 'resume', 'retry', 'rebuild', 'rebuild/cancel'])
    expect(await server.call('POST', `/api/read-models/colors/${what}`)).toMatchObject({
      status: 404,
      body: { code: 'unknown-read-model' },
    });
});
