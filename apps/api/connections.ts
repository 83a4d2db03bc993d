import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** With what is stopped after the connections, a program ends within ten seconds. */
const MILLISECONDS_TO_STOP = 4000;

/**
 * A server that stops waits until its connections are closed. Node closes those that wait for another request, but not one
 * that never sent any (browsers and pools open some in advance), and not one whose last answer ends while the server stops:
 * each of them would hold up the stop for more than a minute. So a connection ends here as soon as it waits for no answer, and at
 * the latest after some seconds: a client that sends half a request would wait for ever.
 */
export function endConnectionsAtStop(application: FastifyInstance, milliseconds = MILLISECONDS_TO_STOP): void {
  const { server } = application;
  const openAnswers = new Map<Socket, number>();
  let isStopping = false;
  const count = (socket: Socket, change: 1 | -1): void => {
    const open = openAnswers.get(socket);
    if (open === undefined) return;
    openAnswers.set(socket, open + change);
    if (isStopping && open + change === 0) socket.destroySoon();
  };
  server.on('connection', (socket) => {
    if (isStopping) return socket.destroy();
    openAnswers.set(socket, 0);
    return socket.once('close', () => openAnswers.delete(socket));
  });
  server.on('request', ({ socket }: IncomingMessage, answer: ServerResponse) => {
    count(socket, 1);
    answer.once('close', () => count(socket, -1));
  });
  application.addHook('preClose', async () => {
    isStopping = true;
    for (const [socket, open] of openAnswers) if (open === 0) socket.destroySoon();
    setTimeout(() => {
      for (const socket of openAnswers.keys()) socket.destroy();
    }, milliseconds).unref();
  });
}
