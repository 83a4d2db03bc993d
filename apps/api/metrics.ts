import type { FastifyInstance } from 'fastify';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ReadModelStatus } from '#read-models/read-models';
import { type Lag, lagsOf, type Parts } from './health.ts';

/** Label → value, as a scrape finds them. */
type Values = Iterable<readonly [string, number]>;

interface GaugeOfParts {
  readonly name: string;
  readonly help: string;
  /** What has one value each: the name of the label. */
  readonly label: 'process' | 'model';
  readonly values: (parts: Parts) => Promise<Values>;
}

/** Prometheus metrics of one application. What is known elsewhere is read at each scrape. */
export function measure(server: FastifyInstance, parts: Parts): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  measureRequests(server, registry);
  for (const gauge of [...processGauges, ...modelGauges, ...lagGauges]) addGauge(registry, gauge, parts);
  countEventsTaken(registry, parts);
  return registry;
}

function measureRequests(server: FastifyInstance, registry: Registry): void {
  const seconds = new Histogram({
    name: 'leadger_http_request_duration_seconds',
    help: 'Time to answer, by route',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  });
  server.addHook('onResponse', async ({ method, routeOptions }, { statusCode, elapsedTime }) =>
    seconds.observe({ method, route: routeOptions.url ?? 'none', status: statusCode }, elapsedTime / 1000),
  );
}

const addGauge = (registry: Registry, { name, help, label, values }: GaugeOfParts, parts: Parts): Gauge =>
  new Gauge({
    name,
    help,
    labelNames: [label],
    registers: [registry],
    async collect() {
      for (const [of, value] of await values(parts)) this.set({ [label]: of }, value);
    },
  });

type ProcessStatus = NonNullable<Awaited<ReturnType<Parts['operations']['status']>>>['processes'][number];

const ofProcesses = (name: string, help: string, measured: (process: ProcessStatus) => number): GaugeOfParts => ({
  name,
  help,
  label: 'process',
  values: async ({ operations }) =>
    ((await operations.status())?.processes ?? []).map((process) => [process.name, measured(process)]),
});

const ofModels = (name: string, help: string, measured: (model: ReadModelStatus) => number): GaugeOfParts => ({
  name,
  help,
  label: 'model',
  values: async ({ readModels }) => (await readModels.status()).map((model) => [model.name, measured(model)]),
});

const ofLags = (name: string, help: string, measured: (lag: Lag) => number): GaugeOfParts => ({
  name,
  help,
  label: 'model',
  values: async ({ events, readModels }) => {
    const models = await readModels.status();
    const lags = await lagsOf(events, models);
    return models.map((model) => [model.name, measured(lags.get(model.position) as Lag)]);
  },
});

const processGauges = [
  ofProcesses('leadger_process_parked', 'Items that failed too often, and wait for a person', ({ parked }) => parked),
  ofProcesses(
    'leadger_process_waiting_for_retry',
    'Items that failed and are tried again',
    ({ waitingForRetry }) => waitingForRetry,
  ),
];

const modelGauges = [
  ofModels(
    'leadger_read_model_parked',
    'Streams that are left out because one of their events could not be applied',
    ({ parked }) => parked.length,
  ),
  ofModels('leadger_read_model_failing', '1 while the last try failed', ({ following }) =>
    following?.lastError === undefined ? 0 : 1,
  ),
  ofModels('leadger_read_model_paused', '1 while it is paused', ({ paused }) => (paused ? 1 : 0)),
  ofModels('leadger_read_model_whole', '0 while it is built from the beginning of the log', ({ whole }) =>
    whole ? 1 : 0,
  ),
];

const lagGauges = [
  ofLags(
    'leadger_read_model_lag_events',
    'Events that it does not reflect yet, counted up to 1000',
    ({ lagEvents }) => lagEvents,
  ),
  ofLags(
    'leadger_read_model_lag_seconds',
    'How long ago the first of these events was recorded',
    ({ lagSeconds }) => lagSeconds,
  ),
];

const countEventsTaken = (registry: Registry, { readModels }: Parts): Counter =>
  new Counter({
    name: 'leadger_read_model_events_total',
    help: 'Events applied since this program began, where it follows the model',
    labelNames: ['model'],
    registers: [registry],
    async collect() {
      this.reset();
      for (const { name, following } of await readModels.status())
        if (following) this.inc({ model: name }, following.eventsTaken);
    },
  });
