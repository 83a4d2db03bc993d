import type { FastifyInstance } from 'fastify';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { lagsOf, type Parts } from './health.ts';

type Counts = Iterable<readonly [string, number]>;

/** Prometheus metrics of one application. What is known elsewhere is asked for when somebody scrapes. */
export function measure(server: FastifyInstance, { events, operations, readModels }: Parts): Registry {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const seconds = new Histogram({
    name: 'leadger_http_request_duration_seconds',
    help: 'Time to answer, by route',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  server.addHook('onResponse', async ({ method, routeOptions }, { statusCode, elapsedTime }) =>
    seconds.observe({ method, route: routeOptions.url ?? 'none', status: statusCode }, elapsedTime / 1000),
  );

  const gauge = (name: string, help: string, label: string, values: () => Counts | Promise<Counts>) =>
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers,
      async collect() {
        for (const [of, value] of await values()) this.set({ [label]: of }, value);
      },
    });
  const processes = async () => (await operations.status())?.processes ?? [];
  const models = () => readModels.status();
  gauge('leadger_process_parked', 'What failed too often and waits for somebody to look', 'process', async () =>
    (await processes()).map(({ name, parked }) => [name, parked]),
  );
  gauge('leadger_process_waiting_for_retry', 'What failed and is tried again', 'process', async () =>
    (await processes()).map(({ name, waitingForRetry }) => [name, waitingForRetry]),
  );
  gauge(
    'leadger_read_model_parked',
    'Streams left out since one of their events could not be taken',
    'model',
    async () => (await models()).map(({ name, parked }) => [name, parked.length]),
  );
  gauge('leadger_read_model_failing', '1 while the last try failed', 'model', async () =>
    (await models()).map(({ name, following }) => [name, following?.lastError === undefined ? 0 : 1]),
  );
  gauge('leadger_read_model_paused', '1 while it stays as it is', 'model', async () =>
    (await models()).map(({ name, paused }) => [name, paused ? 1 : 0]),
  );
  gauge('leadger_read_model_whole', '0 while it is built from the beginning of the log', 'model', async () =>
    (await models()).map(({ name, whole }) => [name, whole ? 1 : 0]),
  );
  const lags = async () => {
    const statuses = await models();
    const lags = await lagsOf(events, statuses);
    return statuses.map(({ name, position }) => ({ name, ...lags.get(position) }));
  };
  gauge('leadger_read_model_lag_events', 'Events that it does not reflect yet, counted up to 1000', 'model', async () =>
    (await lags()).map(({ name, lagEvents = 0 }) => [name, lagEvents]),
  );
  gauge('leadger_read_model_lag_seconds', 'How long ago the first of them was recorded', 'model', async () =>
    (await lags()).map(({ name, lagSeconds = 0 }) => [name, lagSeconds]),
  );
  new Counter({
    name: 'leadger_read_model_events_total',
    help: 'Events taken since this program began, where it follows the model',
    labelNames: ['model'],
    registers,
    async collect() {
      this.reset();
      for (const { name, following } of await models()) if (following) this.inc({ model: name }, following.eventsTaken);
    },
  });
  return registry;
}
