import type { FastifyInstance } from 'fastify';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { standardError } from '#apps/standard-error';
import type { Measure } from '#apps/telling';
import { type Activities, type Activity, outcomes } from '#domain/kernel/activities';
import { asideReasons } from '#domain/support/ticket';
import { attentionReasons } from '#read-models/queries/attention';
import { callsOutside } from '#requests/effects/effects';
import { type Measurements, MOST_LAG_COUNTED } from '#requests/health';

type Process = Measurements['processes'][number];
type Wishes = NonNullable<Process['withoutResult']>[number];
type ReadModel = Measurements['readModels'][number];

const processGauges: readonly (readonly [name: string, help: string, value: (process: Process) => number])[] = [
  ['leadger_process_parked', 'Items that failed too often, and wait for a person', ({ parked }) => parked],
  ['leadger_process_waiting_for_retry', 'Items that failed and are tried again', (process) => process.waitingForRetry],
];

const secondsSince = (since: string | undefined, now: string): number =>
  since === undefined ? 0 : Math.max(0, Date.parse(now) - Date.parse(since)) / 1000;

/** By process and kind of wish: a call to the outside, or a command. */
const wishGauges: readonly (readonly [name: string, help: string, value: (wishes: Wishes, now: string) => number])[] = [
  ['leadger_wishes_failing', 'Calls and commands that failed, and are tried again', ({ failing }) => failing],
  [
    'leadger_wishes_failing_seconds',
    'How long ago the first of these failed first',
    ({ failingSince }, now) => secondsSince(failingSince, now),
  ],
  [
    'leadger_wishes_none_answered_seconds',
    'How long these have failed while none of their kind was answered: the service outside is away, or refuses the store',
    ({ noneAnsweredSince }, now) => secondsSince(noneAnsweredSince, now),
  ],
  [
    'leadger_wishes_under_way',
    'Calls and commands that were begun, and have no answer yet',
    ({ underWay }) => underWay,
  ],
  [
    'leadger_wishes_under_way_seconds',
    'How long ago the first of these began',
    ({ underWaySince }, now) => secondsSince(underWaySince, now),
  ],
  [
    'leadger_wishes_waiting',
    'Calls that wait for their turn, because each target has a limit',
    ({ waiting = 0 }) => waiting,
  ],
  [
    'leadger_wishes_waiting_seconds',
    'How long the first of these has waited',
    ({ waitingSince }, now) => secondsSince(waitingSince, now),
  ],
];

const modelGauges: readonly (readonly [name: string, help: string, value: (model: ReadModel) => number | undefined])[] =
  [
    [
      'leadger_read_model_parked',
      'Streams that are left out because one of their events could not be applied',
      ({ parked }) => parked,
    ],
    ['leadger_read_model_failing', '1 while the last try failed', ({ lastError }) => (lastError === undefined ? 0 : 1)],
    ['leadger_read_model_paused', '1 while it is paused', ({ paused }) => Number(paused)],
    ['leadger_read_model_whole', '0 while it is built from the beginning of the log', ({ whole }) => Number(whole)],
    [
      'leadger_read_model_lag_events',
      `Events that it does not reflect yet, counted up to ${MOST_LAG_COUNTED}`,
      ({ lagEvents }) => lagEvents,
    ],
    [
      'leadger_read_model_lag_seconds',
      'How long ago the first of these events was recorded',
      ({ lagSeconds }) => lagSeconds,
    ],
  ];

const serverGauges: readonly (readonly [
  name: string,
  help: string,
  value: (now: Measurements) => number | undefined,
])[] = [
  ['leadger_event_store_ok', '0 while the event store cannot be read or written', ({ store }) => Number(store.ok)],
  [
    'leadger_database_ok',
    '0 while the PostgreSQL of read models and keys cannot be reached',
    ({ database }) => database && Number(database.ok),
  ],
  [
    'leadger_clock_behind_seconds',
    'By how much the clock of the machine was set back, or is behind the last event; 0 when it is not',
    ({ clock }) => clock.behindSeconds,
  ],
  [
    'leadger_keys_missing',
    'Keys of personal data that were looked for and are missing',
    ({ keysMissing }) => keysMissing,
  ],
  [
    'leadger_keys_damaged',
    'Keys of personal data that were looked for and are damaged, or have a damaged box',
    ({ keysDamaged }) => keysDamaged,
  ],
  [
    'leadger_streams_damaged',
    'Streams of the ledger that somebody cut or deleted in the event store',
    ({ streams }) => streams.damaged,
  ],
  [
    'leadger_streams_foreign',
    'Streams that are named like those of the ledger, and to which other programs write',
    ({ streams }) => streams.foreign,
  ],
  [
    'leadger_streams_blind',
    '1 while this program cannot see what others do to the streams of the ledger',
    ({ streams: { sight } }) => Number(sight === 'blind' || sight === 'away'),
  ],
];

const serverCounters: readonly (readonly [
  name: string,
  help: string,
  value: (outages: Measurements['outages']) => number | undefined,
])[] = [
  [
    'leadger_event_store_outages_total',
    'Outages of the event store since this program began',
    ({ eventStore }) => eventStore?.count,
  ],
  [
    'leadger_event_store_away_seconds_total',
    'How long the event store was away in all, also now',
    ({ eventStore }) => eventStore?.awaySeconds,
  ],
  [
    'leadger_database_outages_total',
    'Outages of the PostgreSQL of read models and keys since this program began',
    ({ database }) => database?.count,
  ],
  [
    'leadger_database_away_seconds_total',
    'How long that PostgreSQL was away in all, also now',
    ({ database }) => database?.awaySeconds,
  ],
];

/** Prometheus metrics of one application. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #processes: readonly (readonly [Gauge, (process: Process) => number])[];
  readonly #wishes: readonly (readonly [Gauge, (wishes: Wishes, now: string) => number])[];
  readonly #degraded: Gauge;
  readonly #attention: Gauge;
  readonly #models: readonly (readonly [Gauge, (model: ReadModel) => number | undefined])[];
  readonly #servers: readonly (readonly [Gauge, (now: Measurements) => number | undefined])[];
  readonly #outages: readonly (readonly [Counter, (outages: Measurements['outages']) => number | undefined])[];
  readonly #eventsTaken: Counter;

  constructor(server: FastifyInstance, activities: Activities) {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    measureRequests(server, registers);
    countActivities(activities, registers);
    countLostLines(registers);
    this.#processes = processGauges.map(([name, help, value]) => [
      new Gauge({ name, help, labelNames: ['process'], registers }),
      value,
    ]);
    this.#wishes = wishGauges.map(([name, help, value]) => [
      new Gauge({ name, help, labelNames: ['process', 'what'], registers }),
      value,
    ]);
    this.#degraded = new Gauge({
      name: 'leadger_degraded',
      help: '1 for each part that makes the health yellow or red',
      labelNames: ['part', 'name'],
      registers,
    });
    this.#attention = new Gauge({
      name: 'leadger_attention_items',
      help: 'Items of /api/attention, by reason',
      labelNames: ['reason'],
      registers,
    });
    this.#models = modelGauges.map(([name, help, value]) => [
      new Gauge({ name, help, labelNames: ['model'], registers }),
      value,
    ]);
    this.#servers = serverGauges.map(([name, help, value]) => [new Gauge({ name, help, registers }), value]);
    this.#outages = serverCounters.map(([name, help, value]) => [new Counter({ name, help, registers }), value]);
    this.#eventsTaken = new Counter({
      name: 'leadger_read_model_events_total',
      help: 'Events applied since this program began, where it follows the model',
      labelNames: ['model'],
      registers,
    });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** In the text format of Prometheus. What is not known now is left out. */
  of(now: Measurements): Promise<string> {
    this.#set(now);
    return this.#registry.metrics();
  }

  /** The gauges of Leadger as values. */
  async gaugesOf(now: Measurements): ReturnType<Measure> {
    this.#set(now);
    const all = await this.#registry.getMetricsAsJSON();
    return all
      .filter(({ name, type }) => name.startsWith('leadger_') && String(type) === 'gauge')
      .map(({ name, help, values }) => ({
        name,
        help,
        values: values as Awaited<ReturnType<Measure>>[number]['values'],
      }));
  }

  #set(now: Measurements): void {
    const { processes, readModels } = now;
    for (const [gauge, read] of this.#servers) setOrLeaveOut(gauge, {}, read(now));
    for (const [counter, read] of this.#outages) {
      counter.reset();
      counter.inc(read(now.outages) ?? 0);
    }
    for (const [gauge, read] of this.#processes) {
      gauge.reset();
      for (const process of processes) gauge.set({ process: process.name }, read(process));
    }
    for (const [gauge, read] of this.#wishes) {
      gauge.reset();
      for (const { name, withoutResult = [] } of processes)
        for (const wishes of withoutResult) gauge.set({ process: name, what: wishes.what }, read(wishes, now.now));
    }
    this.#attention.reset();
    if (now.attention)
      for (const reason of attentionReasons) this.#attention.set({ reason }, now.attention.get(reason) ?? 0);
    this.#degraded.reset();
    for (const { part, name } of now.degradedBy) this.#degraded.set({ part, name }, 1);
    for (const [gauge, read] of this.#models) {
      gauge.reset();
      for (const model of readModels) setOrLeaveOut(gauge, { model: model.name }, read(model));
    }
    this.#eventsTaken.reset();
    for (const { name, eventsTaken } of readModels)
      if (eventsTaken !== undefined) this.#eventsTaken.inc({ model: name }, eventsTaken);
  }
}

function setOrLeaveOut(gauge: Gauge, labels: Record<string, string>, value: number | undefined): void {
  if (value === undefined) gauge.remove(labels);
  else gauge.set(labels, value);
}

/** What becomes of a row of a file of leads. */
const importResults = ['received', 'known', 'duplicates', 'rejected'] as const;

/** Requests have a histogram of their own, and rows are too many to be told. */
const isCounted = ({ kind }: Activity): boolean => kind !== 'request' && kind !== 'row';

function countActivities(activities: Activities, registers: Registry[]): void {
  const total = new Counter({
    name: 'leadger_activities_total',
    help: 'Commands, appends, wishes of processes, calls to the outside, failures of read models, and imports',
    labelNames: ['kind', 'name', 'outcome'],
    registers,
  });
  const seconds = new Histogram({
    name: 'leadger_activity_duration_seconds',
    help: 'How long they took',
    labelNames: ['kind', 'name'],
    buckets: [0.005, 0.025, 0.1, 0.5, 1, 5, 30],
    registers,
  });
  const rows = new Counter({
    name: 'leadger_import_rows_total',
    help: 'Rows of files of leads, by what became of them',
    labelNames: ['result'],
    registers,
  });
  const mails = new Counter({
    name: 'leadger_support_mails_total',
    help: 'Mails to support since this program began, by what became of them, or why they were set aside',
    labelNames: ['result'],
    registers,
  });
  const forms = new Counter({
    name: 'leadger_form_posts_total',
    help: 'Forms of websites since this program began, by what became of them. trap: a program filled in what people do not see',
    labelNames: ['result'],
    registers,
  });
  // A counter that begins with its first count has no increase then.
  for (const name of callsOutside) for (const outcome of outcomes) total.inc({ kind: 'effect', name, outcome }, 0);
  for (const result of importResults) rows.inc({ result }, 0);
  for (const result of ['opened', 'added', 'repeated', 'failed', ...asideReasons]) mails.inc({ result }, 0);
  for (const result of ['received', 'trap', 'throttled', 'refused', 'failed']) forms.inc({ result }, 0);
  activities.listen((activity) => {
    if (!isCounted(activity)) return;
    const { kind, name, outcome, startedAt, endedAt, details = {} } = activity;
    if (kind === 'support-mail') return mails.inc({ result: name });
    if (kind === 'lead-form') return forms.inc({ result: name });
    total.inc({ kind, name, outcome });
    seconds.observe({ kind, name }, (endedAt - startedAt) / 1000);
    if (kind === 'import')
      for (const [result, count] of Object.entries(details)) if (typeof count === 'number') rows.inc({ result }, count);
  });
}

function countLostLines(registers: Registry[]): void {
  new Counter({
    name: 'leadger_log_lines_lost_total',
    help: 'Lines of the log that could not be written since this program began',
    registers,
    collect() {
      this.reset();
      this.inc(standardError.lost);
    },
  });
}

function measureRequests(server: FastifyInstance, registers: Registry[]): void {
  const seconds = new Histogram({
    name: 'leadger_http_request_duration_seconds',
    help: 'Time to answer, by route',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const answers = new Counter({
    name: 'leadger_http_answers_total',
    help: 'Answers to requests, by the class of their status',
    labelNames: ['class'],
    registers,
  });
  for (const status of [200, 300, 400, 500]) answers.inc(classOf(status), 0);
  server.addHook('onResponse', async ({ method, routeOptions }, { statusCode, elapsedTime }) => {
    seconds.observe({ method, route: routeOptions.url ?? 'none', status: statusCode }, elapsedTime / 1000);
    answers.inc(classOf(statusCode));
  });
}

const classOf = (status: number) => ({ class: `${Math.floor(status / 100)}xx` });
