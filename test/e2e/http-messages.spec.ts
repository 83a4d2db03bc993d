import { connect } from 'node:net';
import { type Server, startServer } from './server.ts';

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

/** @returns status and headers of the answer to what is sent as it is */
function answerTo(message: string): Promise<{ status: number; headers: Headers }> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1', () => socket.write(message));
    socket
      .on('data', (chunk) => (text += chunk))
      .on('end', () => resolve({ status: Number(text.slice(9, 12)), headers: headersIn(text) }))
      .on('error', reject);
  });
}

function headersIn(text: string): Headers {
  const [, ...lines] = (text.split('\r\n\r\n')[0] as string).split('\r\n');
  return new Headers(lines.map((line) => line.split(': ', 2) as [string, string]));
}

/** A whole message: the connection is not kept. */
const message = (firstLine: string, ...lines: string[]) =>
  [`${firstLine} HTTP/1.1`, 'Host: 127.0.0.1', 'Connection: close', ...lines, '', ''].join('\r\n');

const answers: readonly [title: string, request: string, status: number, type: RegExp][] = [
  ['a list', message('GET /api/orders'), 200, /^application\/json; charset=utf-8$/],
  ['a refusal', message('GET /api/orders/none'), 404, /^application\/problem\+json; charset=utf-8$/],
  ['a route that is none', message('GET /none'), 404, /^application\/problem\+json; charset=utf-8$/],
  ['an address that is too long', message(`GET /api/customers/${'x'.repeat(600)}`), 414, /^application\/problem\+json/],
  ['what is not HTTP', 'HELLO\r\n\r\n', 400, /^application\/problem\+json; charset=utf-8$/],
  ['two hosts', message('GET /api/orders', 'Host: shop.example'), 400, /^application\/problem\+json; charset=utf-8$/],
  ['the page of mails', message('GET /mails'), 200, /^text\/html; charset=utf-8$/],
  ['the page of the API', message('GET /api/docs'), 200, /^text\/html; charset=utf-8$/],
  ['its script', message('GET /api/docs/start.js'), 200, /^text\/javascript; charset=utf-8$/],
  ['its styles', message('GET /api/docs/swagger-ui.css'), 200, /^text\/css; charset=utf-8$/],
  ['the API, described', message('GET /api/openapi.json'), 200, /^application\/json; charset=utf-8$/],
  ['metrics', message('GET /metrics'), 200, /^text\/plain; version=[\d.]+; charset=utf-8$/],
];

test.each(answers)('%s says its type, and is for no frame, no cache and no guess', async (_, request, status, type) => {
  const { status: answered, headers } = await answerTo(request);
  expect(answered).toBe(status);
  expect(headers.get('content-type')).toMatch(type);
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('referrer-policy')).toBe('no-referrer');
  expect(headers.get('cache-control')).toBe('no-store');
  const policy = headers.get('content-security-policy')?.split(/; ?/);
  expect(policy).toEqual(
    expect.arrayContaining(["default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"]),
  );
  expect(headers.has('location')).toBe(false);
  expect(headers.has('access-control-allow-origin')).toBe(false);
});

test.each([
  ['two lengths', ['Content-Length: 2', 'Content-Length: 3']],
  ['a length, and parts that say theirs', ['Content-Length: 2', 'Transfer-Encoding: chunked']],
  ['an encoding that is none', ['Transfer-Encoding: xchunked']],
  ['a header that continues on the next line', ['X-A: 1', ' Content-Length: 2']],
])('a message with %s is refused: it could hide another one', async (_, lines) => {
  const { status } = await answerTo(`${message('POST /api/orders', 'Content-Type: application/json', ...lines)}{}`);
  expect(status).toBe(400);
});

test.each(['TRACE', 'TRACK', 'CONNECT'])('the method %s is answered by nothing', async (method) => {
  const { status, headers } = await answerTo(message(`${method} ${method === 'CONNECT' ? '127.0.0.1:1' : '/health'}`));
  expect([0, 400, 404, 405]).toContain(status);
  expect(headers.get('content-type') ?? '').not.toMatch('message/http');
});
