import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { startServer } from './server.ts';

/** A connection that its client never closes. */
async function connection(url: string) {
  const { port } = new URL(url);
  const socket = connect(Number(port), '127.0.0.1');
  await once(socket, 'connect');
  return { socket, ended: once(socket.resume(), 'close') };
}

test.each([
  ['that sent nothing', ''],
  ['that sent a part of a request', 'GET /health HTTP/1.1\r\nHost:'],
])('a server that stops does not wait for a connection %s', async (_, sent) => {
  const server = await startServer();
  const { socket, ended } = await connection(server.url);
  socket.write(sent);
  // By its answer, the server has taken the connection before.
  await server.call('GET', '/health');
  await server.stop();
  await ended;
});

test('an answer that is under way when its server stops is sent whole, and its connection is not kept for another', async () => {
  const server = await startServer();
  const http: Server = server.application.getHttpServer();
  // Without an end: else the server would wait for that.
  http.keepAliveTimeout = 0;
  const { socket, ended } = await connection(server.url);
  let answer = '';
  socket.on('data', (bytes) => {
    answer += bytes;
  });
  const arrived = once(http, 'request');
  socket.write(
    'POST /api/customers HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{',
  );
  await arrived;
  const stopped = server.stop();
  socket.write('}');
  await ended;
  await stopped;
  expect(answer).toMatch(/^HTTP\/1\.1 400 .*\r\n\r\n\{.*\}$/s);
});

test('a server that stops waits only so long for a client that never sends the rest of its request', async () => {
  const server = await startServer({ http: { stopMilliseconds: 100 } });
  const { socket, ended } = await connection(server.url);
  const arrived = once(server.application.getHttpServer() as Server, 'request');
  socket.on('error', () => {});
  socket.write(
    'POST /api/customers HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{',
  );
  await arrived;
  await server.stop();
  await ended;
});
