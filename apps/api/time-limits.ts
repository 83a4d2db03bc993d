import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { takesFiles } from './bodies.ts';
import { Problem } from './problems.ts';

/** How long a client may take, so that slow ones do not hold connections that others need. In milliseconds. */
export const timeLimits = {
  headers: 20_000,
  /** Without a byte in either direction, but for the time that an answer takes. Feeds send a sign of life more often. */
  idle: 120_000,
  /** Between two requests: longer than proxies keep a connection, so that none is closed while a request is on its way. */
  keepAlive: 75_000,
  /** A file is read as fast as its rows are carried out, so it may take as long as it is. */
  body: 60_000,
} as const;

/** Node's own limit counts files, too. */
export function limitBodies(server: FastifyInstance, milliseconds: number = timeLimits.body): void {
  server.addHook('onRequest', async (request, reply) => {
    if (!hasBody(request) || takesFiles(request)) return;
    const timer = setTimeout(() => giveUp(request, reply), milliseconds).unref();
    request.raw.once('end', () => clearTimeout(timer)).once('close', () => clearTimeout(timer));
  });
}

/** An erasure of thousands of leads takes long: whoever has sent the whole request is not cut off while it is carried out. */
export function waitForAnswers(server: FastifyInstance): void {
  server.addHook('onRequest', async ({ raw }, reply) => {
    reply.raw.on('timeout', (socket: Socket) => {
      if (!raw.complete || reply.raw.headersSent) socket.destroy();
    });
  });
}

const hasBody = ({ headers }: FastifyRequest): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

function giveUp({ raw }: FastifyRequest, reply: FastifyReply): void {
  if (raw.complete) return;
  if (reply.sent) {
    raw.destroy();
    return;
  }
  reply.header('connection', 'close');
  reply.raw.once('finish', () => raw.destroy());
  new Problem('request-too-slow', 'the body did not arrive in time').send(reply);
}
