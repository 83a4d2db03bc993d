import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { type DynamicModule, type LoggerService, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, LogController } from 'fastify';
import type { Logger } from 'pino';
import { programLog } from '#apps/program-log';
import type { Telling } from '#apps/telling';
import { type Activities, activityTime } from '#domain/kernel/activities';
import { messageWithoutValues } from '#domain/kernel/error-texts';
import type { EventStore } from '#event-store/port';
import { Identities } from '#requests/identities';
import type { Vault } from '#vault/vault';
import { type AttemptCounters, countersInMemory } from '#wiring/attempt-counters';
import { ACTIVITIES, EVENT_STORE, VAULT } from '#wiring/tokens';
import { admissionOf, type Edge } from './admission.ts';
import { ApiModule } from './api.module.ts';
import { acceptBodies } from './bodies.ts';
import { answerConditionally, giveRevision } from './conditional.ts';
import { endConnectionsAtStop } from './connections.ts';
import { markDamaged } from './damaged-mark.ts';
import { serveDocumentation } from './documentation.ts';
import { DEFAULT_MOST_FEEDS, MOST_FEEDS } from './feed.controller.ts';
import { FormThrottle } from './form-throttle.ts';
import { findForms, isLeadForm } from './lead-forms.ts';
import { OperationsController } from './operations.controller.ts';
import { Problem, ProblemFilter, problemOf } from './problems.ts';
import { QUOTAS, type Quotas, USUAL_QUOTAS } from './quotas.ts';
import { RelyingParties } from './relying-party.ts';
import { SignInThrottle } from './sign-in-throttle.ts';
import { limitBodies, timeLimits, waitForAnswers } from './time-limits.ts';
import { acceptOneClicks } from './unsubscriptions.controller.ts';
import { refuseBadBody, Validation } from './validation.ts';
import { HEADER_LINES, protectionOf } from './web-headers.ts';
import { findWhoAsks } from './who-asks.ts';

interface HttpOptions {
  /** Default: JSON lines on standard error. */
  readonly telling?: Pick<Telling, 'log' | 'telemetry'>;
  /** The most a JSON body may have; files are streamed and have no limit. */
  readonly bodyLimitBytes?: number;
  /** The most change feeds that are open at a time. */
  readonly mostFeeds?: number;
  /** Default: it is reached from its own machine only. */
  readonly edge?: Edge;
  /** They are closed with the application. Default: those of this program alone. */
  readonly attempts?: AttemptCounters;
  readonly quotas?: Partial<Quotas>;
  /** Default: the whole API. */
  readonly routes?: Type;
  /** How long a command may wait for the event store, from the arrival of its request. */
  readonly commandMilliseconds?: number;
  /** How long a body that is no file may take to arrive. */
  readonly bodyMilliseconds?: number;
  /** How long a stop waits for answers that are under way. */
  readonly stopMilliseconds?: number;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** When whoever sent it gets an answer at the latest, as `performance.now()` counts. */
    answerBy: number;
    /** Of all that follows from it. */
    correlationId: string;
  }
}

const COMMAND_MILLISECONDS = 10_000;
const MOST_BYTES_OF_HEADERS = 16 * 1024;

@Module({})
class HttpApplication {}

/**
 * The HTTP API on a ledger (`LeadgerModule.on`). It is ready to listen; nothing is started.
 * @throws the error of a module that cannot be opened. Then only the stores are open: they belong to the caller.
 */
export async function createHttpApplication(
  leadgerModule: DynamicModule,
  {
    telling: { log, telemetry } = { log: programLog('api'), telemetry: undefined },
    bodyLimitBytes = 1024 * 1024,
    mostFeeds = DEFAULT_MOST_FEEDS,
    edge = {},
    quotas = {},
    attempts = countersInMemory(),
    routes = ApiModule,
    commandMilliseconds = COMMAND_MILLISECONDS,
    bodyMilliseconds,
    stopMilliseconds,
  }: HttpOptions = {},
): Promise<NestFastifyApplication> {
  const protect = protectionOf(edge.publicUrl);
  const adapter = adapterWith(log, bodyLimitBytes, edge, protect);
  const throttles = [SignInThrottle, FormThrottle].map((provide) => ({
    ...{ provide, inject: [VAULT] },
    useFactory: (vault: Vault) => new provide(attempts, vault),
  }));
  const settings = {
    providers: [
      { provide: MOST_FEEDS, useValue: mostFeeds },
      { provide: QUOTAS, useValue: { ...USUAL_QUOTAS, ...quotas } },
      { provide: RelyingParties, useValue: new RelyingParties(edge.publicUrl) },
      ...throttles,
    ],
    exports: [MOST_FEEDS, QUOTAS, RelyingParties, SignInThrottle, FormThrottle],
  };
  const application = await NestFactory.create<NestFastifyApplication>(
    { module: HttpApplication, global: true, imports: [leadgerModule, routes], ...settings },
    adapter,
    { logger: nestLog(log), abortOnError: false, bodyParser: false },
  );
  const identities = application.get(Identities, { strict: false });
  findForms(adapter.getInstance(), identities);
  allowOrigins(application, edge.allowedOrigins);
  application.useGlobalPipes(new Validation());
  application.useGlobalFilters(new ProblemFilter(log));
  acceptBodies(adapter.getInstance());
  acceptOneClicks(adapter.getInstance());
  endConnectionsAtStop(adapter.getInstance(), stopMilliseconds);
  limitBodies(adapter.getInstance(), bodyMilliseconds);
  waitForAnswers(adapter.getInstance());
  adapter.getInstance().addHook('onRequest', async (request, reply) => protect(request, reply));
  addHooks(adapter.getInstance(), edge, commandMilliseconds);
  adapter.getInstance().addHook('onClose', () => attempts.close());
  findWhoAsks(adapter.getInstance(), identities);
  tellRequests(adapter.getInstance(), application.get<Activities>(ACTIVITIES, { strict: false }));
  const { damages } = application.get<EventStore>(EVENT_STORE, { strict: false });
  adapter.getInstance().addHook('onSend', async (request, reply) => markDamaged(damages, request, reply));
  serveDocumentation(application);
  await application.init();
  telemetry?.measure(() => application.get(OperationsController, { strict: false }).measure());
  return application;
}

const adapterWith = (
  log: Logger,
  bodyLimit: number,
  { trustedProxies = [] }: Edge,
  protect: ReturnType<typeof protectionOf>,
): FastifyAdapter =>
  new FastifyAdapter({
    loggerInstance: log,
    // Its lines have addresses, and people search for names. What is told of a request names its route.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    bodyLimit,
    trustProxy: [...trustedProxies],
    routerOptions: { maxParamLength: 500 },
    connectionTimeout: timeLimits.idle,
    keepAliveTimeout: timeLimits.keepAlive,
    http: { headersTimeout: timeLimits.headers, maxHeaderSize: MOST_BYTES_OF_HEADERS },
    clientErrorHandler: answerGarbage,
    // No hook sees these.
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
      protect(request, reply);
      problemOf(error)?.send(reply);
    },
  });

/** Pages of these sites may read the answers, too: browsers ask for that. A form has origins of its own. */
function allowOrigins(application: NestFastifyApplication, origins: readonly string[] = []): void {
  if (origins.length === 0) return;
  const exposedHeaders = ['ETag', 'Leadger-Position', 'Location', 'Retry-After'];
  const allowed = { origin: [...origins], credentials: true, exposedHeaders, methods: METHODS };
  const ofRequest = (request: FastifyRequest, answer: (error: null, options: object) => void) =>
    answer(null, isLeadForm(request) ? { origin: false } : allowed);
  // Nest's types know the options only, and its adapter takes a delegate, too.
  application.enableCors(ofRequest as object);
}
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** Addresses stay out of what is told: people search for names, and type other things than ids. The route says enough. */
function tellRequests(server: FastifyInstance, activities: Activities): void {
  server.decorateRequest('correlationId', '');
  server.addHook('onResponse', async (request, { statusCode: status, elapsedTime }) => {
    const { method, routeOptions, id } = request;
    const route = routeOptions.url ?? 'none';
    const correlationId = request.correlationId || id;
    const endedAt = activityTime();
    const about = { kind: 'request', name: `${method} ${route}`, id: correlationId, correlationId } as const;
    const outcome = status >= 500 ? 'failed' : status >= 400 ? 'refused' : 'done';
    activities.tell({
      ...about,
      outcome,
      startedAt: endedAt - elapsedTime,
      endedAt,
      details: { method, route, status },
    });
  });
}

function addHooks(server: FastifyInstance, edge: Edge, commandMilliseconds: number): void {
  const admit = admissionOf(edge);
  server.decorateRequest('answerBy', Number.POSITIVE_INFINITY);
  server.addHook('onRequest', async (request) => {
    request.answerBy = performance.now() + commandMilliseconds;
    refuseBadAddress(request);
    refuseTwoHosts(request);
    admit(request);
  });
  server.addHook('preValidation', async (request) => refuseBadBody(request.body));
  server.addHook('preSerialization', giveRevision);
  server.addHook('onSend', answerConditionally);
}

/** Whoever stands in front may have looked at another one than this program (RFC 9112, 3.2). @throws Problem */
function refuseTwoHosts({ raw: { rawHeaders } }: FastifyRequest): void {
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host');
  if (hosts.length > 1) throw new Problem('malformed-request', 'the request has more than one Host');
}

/** What is no UTF-8 would be stored with other characters, or as it is written. @throws Problem */
function refuseBadAddress({ url }: FastifyRequest): void {
  try {
    if (NOT_ENCODED.test(url)) throw new URIError();
    decodeURIComponent(url);
  } catch {
    throw new Problem(
      'malformed-request',
      'the path or the query is not UTF-8 with % and two digits for each special byte',
    );
  }
}
const NOT_ENCODED = /[^\x21-\x7e]/;

/** Answers what is not HTTP: it never reaches a route. */
function answerGarbage(error: Error, socket: Socket): void {
  if (!socket.writable) return;
  const tooLarge = (error as NodeJS.ErrnoException).code === 'HPE_HEADER_OVERFLOW';
  const problem = tooLarge
    ? new Problem('headers-too-large', 'the headers are too large')
    : new Problem('malformed-request', 'this is not an HTTP request that can be read');
  const { status } = problem;
  const body = JSON.stringify(problem.document());
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/problem+json; charset=utf-8\r\n${HEADER_LINES}` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

/** Nest logs every module and route that it finds: that is for debugging. */
const nestLog = (log: Logger): LoggerService => ({
  log: (message) => log.debug(message),
  warn: (message) => log.warn(message),
  error: (message, ...rest) => log.error({ rest }, messageWithoutValues(message)),
  debug: (message) => log.debug(message),
  verbose: (message) => log.trace(message),
  fatal: (message) => log.fatal(message),
});
