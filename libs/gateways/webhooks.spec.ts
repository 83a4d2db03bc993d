import type { lookup } from 'node:dns';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import { normalWebAddress, wrongInWebhookAddress } from '#domain/kernel/web-address';
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

describe('an address of a webhook that leads inside is refused when it is chosen, or never called', () => {
  const inside = [
    ...[
      '127.0.0.1',
      '127.1',
      '127.255.255.254',
      '0.0.0.0',
      '0',
      '10.0.0.1',
      '10.255.255.255',
      '100.64.0.1',
      '169.254.0.1',
    ],
    ...['169.254.169.254', '172.16.0.1', '172.31.255.255', '192.0.0.8', '192.0.2.1', '192.88.99.1', '192.168.0.1'],
    ...['198.18.0.1', '198.51.100.1', '203.0.113.1', '224.0.0.1', '240.0.0.1', '255.255.255.255'],
    ...['2130706433', '0x7f000001', '017700000001', '0x7f.0.0.1', '0177.0.0.1', '127.0.1', '0xa9.0xfe.0xa9.0xfe'],
    ...[
      '2852039166',
      '0251.0376.0251.0376',
      '10.1',
      '3232235521',
      '%31%32%37.0.0.1',
      '\uff11\uff12\uff17.0.0.1',
      '127\u30020.0.1',
    ],
    ...['127.0.0.1.', '127.0.0.1:6379', '10.0.0.1:443', '169.254.169.254:80'],
    ...['[::1]', '[::]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::ffff:169.254.169.254]', '[::127.0.0.1]'],
    ...[
      '[64:ff9b::7f00:1]',
      '[64:ff9b:1::a00:1]',
      '[2002:7f00:1::]',
      '[2001::1]',
      '[2001:db8::1]',
      '[fc00::1]',
      '[fd00:ec2::254]',
    ],
    ...['[fe80::1]', '[fec0::1]', '[ff02::1]', '[3fff::1]', '[4000::1]', '[100::1]', '[::1]:8080'],
    ...[
      'user@127.0.0.1',
      'crm.example@127.0.0.1',
      'user:secret@10.0.0.1',
      '127.0.0.1#@crm.example',
      'localhost',
      'localhost.',
    ],
    ...['127.0.0.1\\@crm.example', '127.0.0.1 .crm.example'],
  ];

  test.each(inside)('https://%s/', async (host) => {
    const written = `https://${host}/leads`;
    if (wrongInWebhookAddress(written) !== undefined) return;
    const call = { url: normalWebAddress(written), signingSecrets: [signingSecret], id: 'x', at, body: '' };
    expect(await httpWebhooks().call(call)).toEqual({ accepted: false, failure: 'private-address', hopeless: true });
  });

  test('at least sixty of them', () => expect(new Set(inside).size).toBeGreaterThanOrEqual(60));

  test.each(['http://crm.example/leads', 'http://10.0.0.1/', 'http://93.184.215.14/'])('%s without TLS', (address) =>
    expect(wrongInWebhookAddress(address)).toMatch('must begin with https://'),
  );
});

const fail = (): never => {
  throw new Error('nobody called');
};
