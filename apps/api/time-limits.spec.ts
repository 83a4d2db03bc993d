import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { type FastifyInstance, fastify } from 'fastify';
import { waitForAnswers } from './time-limits.ts';

const IDLE_MILLISECONDS = 50;

describe('the limit of a connection without a byte', () => {
  let server: FastifyInstance;
  let port: number;

  beforeEach(async () => {
    server = fastify({ connectionTimeout: IDLE_MILLISECONDS });
    waitForAnswers(server);
    server.post('/', async () => {
      await wait(5 * IDLE_MILLISECONDS);
      return 'done';
    });
    await server.listen({ host: '127.0.0.1', port: 0 });
    port = (server.server.address() as AddressInfo).port;
  });
  afterEach(() => server.close());

  it('does not count while an answer is made', async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: 'whole' });
    expect(await answer.text()).toBe('done');
  });

  it('ends a client that sends half a request, and one that sends nothing', async () => {
    for (const sent of [
      'POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nhal',
      '',
    ]) {
      const socket = connect(port, '127.0.0.1');
      socket.resume().write(sent);
      await once(socket, 'close');
    }
  });
});
