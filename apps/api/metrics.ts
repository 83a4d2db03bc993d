import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { eventsAfter, type Parts } from './health.ts';

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
    (await models()).map(({ name, lastError }) => [name, lastError === undefined ? 0 : 1]),
  );
  new Gauge({
    name: 'leadger_read_model_lag_events',
    help: 'Events that a read model does not reflect yet, counted up to 1000',
    labelNames: ['model'],
    registers,
    async collect() {
      for (const { name, position } of await models()) this.set({ model: name }, await eventsAfter(events, position));
    },
  });
  return registry;
}
