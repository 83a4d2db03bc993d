import type { lookup } from 'node:dns';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import { httpWebhooks, isPrivate, signatureOf } from './webhooks.ts';

const at = new Date('2026-05-01T10:00:00.500Z');
const signingSecret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

describe('a webhook', () => {
  let server: Server;
  let url: string;
  let answer: { status: number; headers?: Record<string, string> };
  const calls: { message: IncomingMessage; body: string }[] = [];
  beforeEach(async () => {
    answer = { status: 204 };
    calls.length = 0;
    server = createServer((message, reply) => {
      let body = '';
      message.on('data', (part: Buffer) => {
        body += part;
      });
      message.on('end', () => {
        calls.push({ message, body });
        reply.writeHead(answer.status, answer.headers ?? {}).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/leads?x=1`;
  });
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  const call = (to = url, toThisMachine = true) =>
    httpWebhooks({ toThisMachine }).call({
      url: to,
      signingSecrets: [signingSecret],
      id: 'msg_1',
      at,
      body: '{"leadId":"ä"}',
    });

  it('is signed so that the receiver can verify its sender and its time', async () => {
    expect(await call()).toEqual({ accepted: true, status: 204 });
    const [{ message, body } = fail()] = calls;
    expect(message.headers).toMatchObject({ 'webhook-id': 'msg_1', 'webhook-timestamp': '1777629600' });
    expect(message.headers['webhook-signature']).toBe(signatureOf({ signingSecret, id: 'msg_1', at, body }));
    expect(body).toBe('{"leadId":"ä"}');
  });

  it('has two signatures while its secret is replaced', async () => {
    const signingSecrets = [signingSecret, 'whsec_c2VjcmV0IHNlY3JldCBzZWNyZXQ='];
    const signed = { id: 'msg_1', at, body: '{}' };
    await httpWebhooks({ toThisMachine: true }).call({ url, signingSecrets, ...signed });
    const signatures = signingSecrets.map((secret) => signatureOf({ signingSecret: secret, ...signed }));
    expect(calls[0]?.message.headers['webhook-signature']).toBe(signatures.join(' '));
  });

  it('has the signature that Standard Webhooks gives as its example', () => {
    const example = {
      signingSecret,
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      at: new Date(1_614_265_330_000),
      body: '{"test": 2432232314}',
    };
    expect(signatureOf(example)).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  it.each([
    [500, false],
    [404, false],
    [302, false],
    [410, true],
  ])('fails with %s, which is hopeless: %s', async (status, hopeless) => {
    answer = { status, headers: { location: url } };
    expect(await call()).toEqual({ accepted: false, failure: 'answered', status, hopeless });
    expect(calls).toHaveLength(1);
  });

  it('fails when there is no server', async () => {
    expect(await call('http://127.0.0.1:9/')).toEqual({ accepted: false, failure: 'unreachable', hopeless: false });
    expect(await call('http://nobody.invalid/')).toEqual({ accepted: false, failure: 'name-unknown', hopeless: false });
    const unsafe = url.replace('http:', 'https:');
    expect(await call(unsafe)).toEqual({ accepted: false, failure: 'no-safe-connection', hopeless: false });
  });

  it('fails at once when the answer changes the protocol', async () => {
    server.removeAllListeners('request');
    server.on('connection', (socket) => socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n'));
    expect(await call()).toEqual({ accepted: false, failure: 'answered', status: 101, hopeless: false });
  });

  it('never calls a private address, under any name', async () => {
    for (const host of [
      '127.0.0.1',
      'localhost',
      '[::1]',
      '0x7f.1',
      '[::ffff:127.0.0.1]',
      '169.254.169.254',
      '10.0.0.1',
    ])
      expect(await call(url.replace('127.0.0.1', host), false)).toEqual({
        accepted: false,
        failure: 'private-address',
        hopeless: true,
      });
    expect(calls).toEqual([]);
  });

  it.each([
    ...['https://10.1.2.3/leads', 'https://[fd00::1]/', 'https://192.168.0.9:8443', 'https://169.254.169.254/'],
    ...['https://localhost/', 'http://127.0.0.1:9/', 'https://[::1]/', 'https://crm.localhost/'],
  ])('says of %s at once that it is not called', (address) => {
    expect(httpWebhooks().refuses(address)).toBe(true);
    const isThisMachine = /localhost|127|::1\]/.test(address) && !address.includes('fd00');
    expect(httpWebhooks({ toThisMachine: true }).refuses(address)).toBe(!isThisMachine);
  });

  it('says of a name nothing: it is looked up at each call', () => {
    for (const address of ['https://crm.example/leads', 'https://93.184.216.34/', 'https://localhost.example/'])
      expect(httpWebhooks().refuses(address)).toBe(false);
  });

  it('calls this machine where that is switched on, under its names, and no other private address', async () => {
    for (const host of ['127.0.0.1', 'localhost', '127.1', '[::ffff:127.0.0.1]'])
      expect(await call(url.replace('127.0.0.1', host))).toEqual({ accepted: true, status: 204 });
    for (const host of ['169.254.169.254', '10.0.0.1', '0.0.0.0', '[::ffff:10.0.0.1]', '[fd00::1]'])
      expect(await call(url.replace('127.0.0.1', host))).toMatchObject({ failure: 'private-address', hopeless: true });
    expect(calls).toHaveLength(4);
  });

  it('of a name is sent to no address but those that were looked at, however often its resolver changes its mind', async () => {
    const { port } = new URL(url);
    const answers = [
      ['93.184.215.14', '127.0.0.1'],
      ['10.0.0.1'],
      ['::ffff:127.0.0.1'],
      ['169.254.169.254'],
      ['fd00::1'],
    ];
    for (const addresses of answers) {
      const found = addresses.map((address) => ({ address, family: isIP(address) }));
      const resolve = ((_: string, __: object, done: (error: null, all: object[]) => void) =>
        done(null, found)) as unknown as typeof lookup;
      const call = {
        url: `https://rebinding.example:${port}/`,
        signingSecrets: [signingSecret],
        id: 'x',
        at,
        body: '',
      };
      expect(await httpWebhooks({ resolve }).call(call)).toMatchObject({ failure: 'private-address', hopeless: true });
    }
    expect(calls).toEqual([]);
  });

  it('is not sent without TLS, but to this machine where that is switched on', async () => {
    const call = { signingSecrets: [signingSecret], id: 'x', at, body: '' };
    for (const toThisMachine of [true, false])
      expect(await httpWebhooks({ toThisMachine }).call({ ...call, url: 'http://93.184.215.14/' })).toMatchObject({
        failure: 'no-safe-connection',
        hopeless: true,
      });
  });

  it.each([
    ['10.1.2.3', true],
    ['172.31.255.255', true],
    ['172.32.0.0', false],
    ['100.64.0.1', true],
    ['8.8.8.8', false],
    ['fd00::1', true],
    ['::ffff:10.0.0.1', true],
    ['2606:4700::1111', false],
    ['192.0.2.1', true],
    // IPv6 addresses that contain an IPv4 address, or are not in use.
    ['::7f00:1', true],
    ['64:ff9b:1::7f00:1', true],
    ['2002:7f00:1::', true],
    ['fec0::1', true],
    ['2001:db8::1', true],
  ])('%s is private: %s', (address, expected) => expect(isPrivate(address)).toBe(expected));
});

const fail = (): never => {
  throw new Error('nobody called');
};
