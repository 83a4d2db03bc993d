import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ProcessEngine } from '#processes/engine/engine';
import type { ReadModels } from '#read-models/read-models';

interface Measured {
  readonly engine: ProcessEngine;
  readonly readModels: ReadModels;
}

/** Prometheus metrics of one application. What is known elsewhere is asked for when somebody scrapes. */
export function measure(server: FastifyInstance, { engine, readModels }: Measured): Registry {
  const registers = [new Registry()] as [Registry];
  collectDefaultMetrics({ register: registers[0] });

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

  new Gauge({
    name: 'leadger_process_parked',
    help: 'What failed too often and waits for somebody to look',
    labelNames: ['process'],
    registers,
    collect() {
      for (const { name, parked } of engine.status().processes) this.set({ process: name }, parked);
    },
  });
  new Gauge({
    name: 'leadger_process_waiting_for_retry',
    help: 'What failed and is tried again',
    labelNames: ['process'],
    registers,
    collect() {
      for (const { name, waitingForRetry } of engine.status().processes) this.set({ process: name }, waitingForRetry);
    },
  });
  return registers[0];
}
