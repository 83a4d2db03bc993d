import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import {
  type DynamicModule,
  type LoggerService,
  Module,
  type Type,
  UnsupportedMediaTypeException,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Logger, pino } from 'pino';
import { ApiModule } from './api.module.ts';
import { answerConditionally } from './conditional.ts';
import { serveDocumentation } from './documentation.ts';
import { fileTypes } from './lead-batch.ts';
import { Problem, ProblemFilter, problemOf } from './problems.ts';
import { refuseStrangeBody, Validation } from './validation.ts';

export interface HttpOptions {
  /** Default: JSON lines on standard error, from `LEADGER_LOG_LEVEL` (default `warn`) up. */
  readonly log?: Logger;
  /** The most a JSON body may have; files are streamed and have no limit. */
  readonly bodyLimitBytes?: number;
  /** Default: the whole API. */
  readonly routes?: Type;
}

@Module({})
class HttpApplication {}

/**
 * The HTTP API on a ledger that was put together (`LeadgerModule.on`). Ready to listen; nothing is started.
 * @throws what opening failed with: nothing is left open but the stores, which are their owner's
 */
export async function createHttpApplication(
  leadgerModule: DynamicModule,
  { log = defaultLog(), bodyLimitBytes = 1024 * 1024, routes = ApiModule }: HttpOptions = {},
): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    loggerInstance: log,
    bodyLimit: bodyLimitBytes,
    routerOptions: { maxParamLength: 500 },
    clientErrorHandler: answerGarbage,
    frameworkErrors: (error: Error, _request: FastifyRequest, reply: FastifyReply) => problemOf(error)?.send(reply),
  });
  const application = await NestFactory.create<NestFastifyApplication>(
    { module: HttpApplication, imports: [leadgerModule, routes] },
    adapter,
    { logger: nestLog(log), abortOnError: false, bodyParser: false },
  );
  application.useGlobalPipes(new Validation());
  application.useGlobalFilters(new ProblemFilter(log));
  const server = adapter.getInstance();
  server.removeContentTypeParser('text/plain');
  server.addContentTypeParser(fileTypes, async ({ routeOptions }: FastifyRequest, file: Readable) => {
    if (routeOptions.url !== '/api/leads/batches') throw new UnsupportedMediaTypeException();
    return file;
  });
  server.addHook('onRequest', async (request, reply) => {
    // Answers tell of persons: no cache on the way keeps them, and no browser guesses what they might be.
    reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    refuseStrangers(request);
  });
  server.addHook('preValidation', async (request) => refuseStrangeBody(request.body));
  server.addHook('onSend', answerConditionally);
  serveDocumentation(application);
  await application.init();
  return application;
}

/** Query strings stay out of the log: people search for people. */
const defaultLog = (): Logger =>
  pino(
    {
      level: process.env.LEADGER_LOG_LEVEL ?? 'warn',
      serializers: { req: ({ method, url }: FastifyRequest) => ({ method, path: url.split('?', 1)[0] }) },
    },
    pino.destination({ dest: 2, sync: true }),
  );

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/;

/**
 * Nobody signs in yet: who reaches the loopback interface is trusted, but not the pages of other sites that are open in
 * the same browser. They say where they come from (Origin), or make a name of theirs mean this machine (Host).
 */
function refuseStrangers({ headers: { host = '', origin } }: FastifyRequest): void {
  if (LOOPBACK.test(host) && (origin === undefined || origin === `http://${host}`)) return;
  throw new Problem('not-from-here', 'until people sign in, requests are taken from this machine only');
}

/** What is not HTTP at all never reaches a route. */
function answerGarbage(error: Error, socket: Socket): void {
  if (!socket.writable) return;
  const tooLarge = (error as NodeJS.ErrnoException).code === 'HPE_HEADER_OVERFLOW';
  const problem = tooLarge
    ? new Problem('headers-too-large', 'the headers are too large')
    : new Problem('malformed-request', 'this is not an HTTP request that can be read');
  const { status } = problem;
  const body = JSON.stringify(problem.document());
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/problem+json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

/** Nest tells of every module and route that it finds: interesting to nobody but who looks for it. */
const nestLog = (log: Logger): LoggerService => ({
  log: (message) => log.debug(message),
  warn: (message) => log.warn(message),
  error: (message, ...rest) => log.error({ rest }, String(message)),
  debug: (message) => log.debug(message),
  verbose: (message) => log.trace(message),
  fatal: (message) => log.fatal(message),
});
