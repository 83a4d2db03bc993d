import { hash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import {
  type Attributes,
  DiagLogLevel,
  diag,
  type HrTime,
  type Meter,
  type ObservableGauge,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  type IdGenerator,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Logger } from 'pino';
import { type Activities, type Activity, type ActivityKey, activityTime } from '#domain/kernel/activities';
import type { Measure, Telemetry } from './telling.ts';

const SPANS_WAITING = 16_384;
const MILLISECONDS_TO_SEND_THE_REST = 3000;
const MILLISECONDS_BETWEEN_COMPLAINTS = 60_000;
const MILLISECONDS_BETWEEN_METRICS = 60_000;
const MILLISECONDS_TO_EXPORT = 30_000;

interface TelemetryOptions {
  readonly program: string;
  readonly version: string;
  readonly activities: Activities;
  readonly log: Logger;
  readonly env?: NodeJS.ProcessEnv;
}

/** Sends traces and metrics over OTLP/HTTP, to where the usual variables of OpenTelemetry say. */
export function startTelemetry({ program, version, activities, log, env = process.env }: TelemetryOptions): Telemetry {
  complainInto(log);
  const resource = resourceFromAttributes({
    'service.name': env.OTEL_SERVICE_NAME ?? `leadger-${program}`,
    'service.version': version,
    'process.pid': process.pid,
  });
  const ids = new GivenIds();
  const exporter = new OTLPTraceExporter();
  const traces = new TracerProvider({
    resource,
    idGenerator: ids,
    sampler: samplerOf(env),
    spanProcessors: [new BatchSpanProcessor({ exporter, maxQueueSize: SPANS_WAITING })],
  });
  const exportIntervalMillis = Number(env.OTEL_METRIC_EXPORT_INTERVAL ?? MILLISECONDS_BETWEEN_METRICS);
  const exportTimeoutMillis = Math.min(exportIntervalMillis, MILLISECONDS_TO_EXPORT);
  const times = { exportIntervalMillis, exportTimeoutMillis };
  const reader = new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter(), ...times });
  const metrics = new MeterProvider({ resource, readers: [reader] });
  const meter = metrics.getMeter('leadger');
  const end = activities.listen(spansInto(traces.getTracer('leadger'), ids));
  const endCounting = activities.listen(durationsInto(meter));
  activities.tellsRows = true;
  return {
    measure: (measure) => void observe(meter, measure),
    async stop() {
      end();
      endCounting();
      const sent = Promise.allSettled([traces.shutdown(), metrics.shutdown()]);
      // A collector that is away does not keep the program from its end.
      await Promise.race([sent, wait(MILLISECONDS_TO_SEND_THE_REST, undefined, { ref: false })]);
    },
  };
}

/** The part of all traces that is kept; all spans of a trace, in all programs, are kept or left out together. */
const samplerOf = ({ OTEL_TRACES_SAMPLER: sampler = '', OTEL_TRACES_SAMPLER_ARG: ratio = '1' }: NodeJS.ProcessEnv) => {
  if (sampler.endsWith('always_off')) return new AlwaysOffSampler();
  return sampler.endsWith('traceidratio') ? new TraceIdRatioBasedSampler(Number(ratio)) : new AlwaysOnSampler();
};

/** A collector that is away is told once a minute. */
function complainInto(log: Logger): void {
  let silentUntil = 0;
  const complain = (message: string) => {
    if (activityTime() < silentUntil) return;
    silentUntil = activityTime() + MILLISECONDS_BETWEEN_COMPLAINTS;
    log.warn({ kind: 'telemetry', reason: message.slice(0, 500) }, 'traces or metrics could not be sent');
  };
  const silent = () => {};
  diag.setLogger(
    { error: complain, warn: complain, info: silent, debug: silent, verbose: silent },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
}

/** The ids of the next span. It is made of what the events carry: so each program continues the trace that another one began. */
class GivenIds implements IdGenerator {
  next = { traceId: '', spanId: '' };
  generateTraceId = (): string => this.next.traceId;
  generateSpanId = (): string => this.next.spanId;
}

const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/;

/** The correlation id itself, where it is a UUID. */
const traceIdOf = (correlationId: string): string =>
  UUID.test(correlationId) ? correlationId.replaceAll('-', '') : hash('sha256', correlationId).slice(0, 32);

const contextOf = ({ kind, id, correlationId }: ActivityKey): SpanContext => ({
  traceId: traceIdOf(correlationId),
  spanId: hash('sha256', `${kind}/${id}`).slice(0, 16),
  traceFlags: TraceFlags.SAMPLED,
  isRemote: true,
});

const spanKinds: Readonly<Partial<Record<Activity['kind'], SpanKind>>> = {
  request: SpanKind.SERVER,
  effect: SpanKind.CLIENT,
  row: SpanKind.CONSUMER,
};

const spansInto = (tracer: Tracer, ids: GivenIds) => (activity: Activity) => {
  if (activity.kind === 'read-model') return;
  const { kind, name, parent, startedAt, endedAt, outcome, reason } = activity;
  ids.next = contextOf(activity);
  const before = parent && contextOf(parent);
  const isSameTrace = before?.traceId === ids.next.traceId;
  const span = tracer.startSpan(
    kind === 'request' ? name : `${kind} ${name}`,
    {
      kind: spanKinds[kind] ?? SpanKind.INTERNAL,
      startTime: timeOf(startedAt),
      attributes: attributesOf(activity),
      ...(before && !isSameTrace && { links: [{ context: before }] }),
    },
    before && isSameTrace ? trace.setSpanContext(ROOT_CONTEXT, before) : ROOT_CONTEXT,
  );
  if (outcome === 'failed' || outcome === 'given-up' || outcome === 'parked')
    span.setStatus({ code: SpanStatusCode.ERROR, ...(reason !== undefined && { message: reason }) });
  span.end(timeOf(endedAt));
};

const timeOf = (milliseconds: number): HrTime => {
  const seconds = Math.floor(milliseconds / 1000);
  return [seconds, Math.round((milliseconds - seconds * 1000) * 1e6)];
};

function attributesOf({ kind, outcome, reason, correlationId, stream, attempt, details = {} }: Activity): Attributes {
  const { method, route, status, ...others } = details;
  const ours = { outcome, reason, correlation_id: correlationId, stream, attempt, ...others };
  const named = Object.entries(ours).filter(([, value]) => value !== undefined);
  return {
    ...Object.fromEntries(named.map(([name, value]) => [`leadger.${name}`, value])),
    ...(kind === 'request' && {
      'http.request.method': method,
      'http.route': route,
      'http.response.status_code': status,
    }),
  };
}

function durationsInto(meter: Meter) {
  const seconds = meter.createHistogram('leadger.activity.duration', {
    description: 'How long requests, commands, appends, wishes of processes, calls to the outside and imports took',
    unit: 's',
  });
  return ({ kind, name, outcome, startedAt, endedAt }: Activity) => {
    if (kind !== 'row') seconds.record((endedAt - startedAt) / 1000, { kind, name, outcome });
  };
}

/** The gauges of /metrics, under the same names. */
async function observe(meter: Meter, measure: Measure): Promise<void> {
  const first = await measure().catch(() => []);
  const gauges = new Map<string, ObservableGauge>(
    first.map(({ name, help }) => [name, meter.createObservableGauge(name, { description: help })]),
  );
  meter.addBatchObservableCallback(
    async (result) => {
      for (const { name, values } of await measure().catch(() => [])) {
        const gauge = gauges.get(name);
        if (gauge) for (const { labels, value } of values) result.observe(gauge, value, labels);
      }
    },
    [...gauges.values()],
  );
}
