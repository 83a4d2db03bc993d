import { createHook } from 'node:async_hooks';
import type { lookup } from 'node:dns';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import { normalWebAddress, wrongInWebhookAddress } from '#domain/kernel/web-address';
import { httpWebhooks } from '#gateways/webhooks';

/* Where a customer's webhook must never lead: each is refused when it is chosen, or when it is called, and nothing connects to it. */

/** Node says of each connection that it is tried, with an address: nothing of the program is replaced. */
let connections = 0;
const hook = createHook({
  init(_, type) {
    if (type === 'TCPCONNECTWRAP') connections += 1;
  },
});
beforeAll(() => void hook.enable());
afterAll(() => void hook.disable());
beforeEach(() => {
  connections = 0;
});

const message = {
  signingSecrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
  id: 'msg_1',
  at: new Date('2026-05-01T10:00:00.500Z'),
  body: '{}',
};

interface Answers {
  readonly resolve?: typeof lookup;
  readonly toThisMachine?: boolean;
}

/** A resolver that gives its answers in turn, and the last one for ever. */
function answering(...answers: readonly (readonly string[])[]) {
  let asked = 0;
  const resolve = ((_: string, __: object, done: (error: null, all: object[]) => void) => {
    const addresses = answers[Math.min(asked, answers.length - 1)] ?? [];
    asked += 1;
    done(
      null,
      addresses.map((address) => ({ address, family: isIP(address) })),
    );
  }) as unknown as typeof lookup;
  return { resolve, asked: () => asked };
}

/** @returns why it is not called */
async function refusal(written: string, options: Answers = {}): Promise<string | undefined> {
  if (wrongInWebhookAddress(written) !== undefined) return 'chosen';
  const result = await httpWebhooks(options).call({ url: normalWebAddress(written), ...message });
  return result.accepted ? undefined : result.failure;
}

const numbers = [
  // This machine, in all spellings.
  ...['127.0.0.1', '127.1', '127.0.1', '127.255.255.254', '0.0.0.0', '0', '2130706433', '0x7f000001', '017700000001'],
  ...[
    '0x7f.0.0.1',
    '0177.0.0.1',
    '0x7f.1',
    '00000177.0.0.01',
    '%31%32%37.0.0.1',
    '\uff11\uff12\uff17.0.0.1',
    '127\u30020.0.1',
  ],
  ...['127.0.0.1.', '127.0.0.1:6379', '127.0.0.1:22', '①②⑦.⓪.⓪.①', '127。0。0。1', '4294967295', '0x100000000'],
  // Networks that are nobody else's.
  ...[
    '10.0.0.1',
    '10.1',
    '10.255.255.255',
    '10.0.0.1:443',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.0.1',
    '3232235521',
  ],
  ...[
    '100.64.0.1',
    '100.127.255.254',
    '192.0.0.8',
    '192.0.2.1',
    '192.88.99.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.1',
  ],
  ...['169.254.0.1', '224.0.0.1', '239.255.255.250', '240.0.0.1', '255.255.255.255'],
  // Where clouds give secrets of a machine to whoever asks on it.
  ...[
    '169.254.169.254',
    '169.254.169.254:80',
    '2852039166',
    '0251.0376.0251.0376',
    '0xa9.0xfe.0xa9.0xfe',
    '169.254.43518',
  ],
  ...['169.254.170.2', '100.100.100.200', '192.0.0.192', '168.63.129.16', '[fd00:ec2::254]', '[fd20:ce::254]'],
  // IPv6, also with an IPv4 address in it.
  ...[
    '[::1]',
    '[::]',
    '[::1]:8080',
    '[0:0:0:0:0:0:0:1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[0:0:0:0:0:ffff:7f00:1]',
  ],
  ...[
    '[::ffff:169.254.169.254]',
    '[::ffff:0:127.0.0.1]',
    '[::127.0.0.1]',
    '[64:ff9b::7f00:1]',
    '[64:ff9b::169.254.169.254]',
  ],
  ...['[64:ff9b:1::a00:1]', '[2002:7f00:1::]', '[2001::1]', '[2001:db8::1]', '[2001:10::1]', '[fc00::1]', '[fdff::1]'],
  ...['[fe80::1]', '[fe80::1%25eth0]', '[fec0::1]', '[ff02::1]', '[3fff::1]', '[4000::1]', '[100::1]', '[5f00::1]'],
  // Two readings of one address.
  ...[
    'user@127.0.0.1',
    'crm.example@127.0.0.1',
    'user:secret@10.0.0.1',
    '127.0.0.1#@crm.example',
    '127.0.0.1?@crm.example',
  ],
  ...[
    '127.0.0.1\\@crm.example',
    '127.0.0.1 .crm.example',
    'crm.example\t@127.0.0.1',
    '[::1',
    '127.0.0.1%00.crm.example',
  ],
];

const addresses = [
  ...numbers.map((host) => `https://${host}/leads`),
  ...[
    'http://crm.example/leads',
    'http://93.184.215.14/',
    'http://10.0.0.1/',
    'ftp://crm.example/',
    'ws://crm.example/',
  ],
  ...[
    'file:///etc/passwd',
    'gopher://127.0.0.1:6379/_INFO',
    'javascript:alert(1)',
    'data:text/plain,a',
    'unix:/run/docker.sock',
  ],
  ...['//127.0.0.1/', 'https:127.0.0.1', 'https:/\\127.0.0.1/', 'https:///127.0.0.1/', ' https://127.0.0.1/'],
];

test.each(addresses)('%s is refused, and nothing connects to it', async (address) => {
  expect(['chosen', 'private-address']).toContain(await refusal(address));
  expect(connections).toBe(0);
});

test('at least sixty of them, each another one', () => {
  expect(new Set(addresses).size).toBe(addresses.length);
  console.log(`${addresses.length} addresses, ${names.length} names`);
  expect(addresses.length).toBeGreaterThanOrEqual(60);
});

/** Names, and what they lead to. */
const names: readonly (readonly [name: string, ...addresses: string[]])[] = [
  ['localhost', '127.0.0.1'],
  ['localhost.localdomain', '::1'],
  ['crm.localhost', '127.0.0.1'],
  ['127.0.0.1.nip.example', '127.0.0.1'],
  ['metadata.google.internal', '169.254.169.254'],
  ['kubernetes.default.svc', '10.96.0.1'],
  ['router.lan', '192.168.1.1'],
  ['mapped.example', '::ffff:10.0.0.1'],
  ['translated.example', '64:ff9b::7f00:1'],
  ['one-of-two.example', '93.184.215.14', '127.0.0.1'],
  ['one-of-two-families.example', '2606:4700::1111', '::1'],
  ['xn--lcalhost-54a.example', 'fe80::1'],
];

test.each(names)(
  'a name that leads inside is refused when it is called, and nothing connects: %s',
  async (name, ...found) => {
    for (const host of [name, `${name}.`, name.toUpperCase()]) {
      const { resolve } = answering(found);
      expect(['chosen', 'private-address']).toContain(await refusal(`https://${host}/leads`, { resolve }));
    }
    expect(connections).toBe(0);
  },
);

test('the machine’s own resolver leads localhost nowhere else', async () => {
  expect(await refusal('https://localhost/leads')).toBe('private-address');
  expect(connections).toBe(0);
});

describe('beside a program of a customer', () => {
  let receiver: Server;
  let inside: Server;
  let answer: { status: number; headers: Record<string, string> };
  const got = { receiver: 0, inside: 0 };
  const listening = (name: keyof typeof got) => {
    const server = createServer((_, reply) => {
      got[name] += 1;
      reply.writeHead(answer.status, answer.headers).end();
    });
    return new Promise<Server>((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
  };
  const portOf = (server: Server) => (server.address() as AddressInfo).port;
  beforeAll(async () => {
    [receiver, inside] = [await listening('receiver'), await listening('inside')];
  });
  afterAll(async () => {
    for (const server of [receiver, inside]) await new Promise((resolve) => server.close(resolve));
  });
  beforeEach(() => {
    answer = { status: 204, headers: {} };
    Object.assign(got, { receiver: 0, inside: 0 });
  });

  test.each([301, 302, 303, 307, 308])('no redirect is followed: %s', async (status) => {
    const location = `http://127.0.0.1:${portOf(inside)}/`;
    answer = { status, headers: { location, refresh: `0;url=${location}`, link: `<${location}>; rel=preconnect` } };
    const url = `http://127.0.0.1:${portOf(receiver)}/`;
    const result = await httpWebhooks({ toThisMachine: true }).call({ url, ...message });
    expect(result).toMatchObject({ accepted: false, failure: 'answered', status });
    expect(got).toEqual({ receiver: 1, inside: 0 });
    expect(connections).toBe(1);
  });

  test('a name that leads elsewhere the next time is looked up once for each call, and called where that look-up led', async () => {
    const { resolve, asked } = answering(
      ['127.0.0.1'],
      ['169.254.169.254'],
      ['127.0.0.1', '10.0.0.1'],
      ['::ffff:127.0.0.1'],
    );
    const call = () =>
      httpWebhooks({ toThisMachine: true, resolve }).call({
        url: `http://crm.example:${portOf(receiver)}/`,
        ...message,
      });
    expect(await call()).toEqual({ accepted: true, status: 204 });
    expect([asked(), got.receiver, connections]).toEqual([1, 1, 1]);
    for (const looked of [2, 3]) {
      expect(await call()).toMatchObject({ failure: 'private-address', hopeless: true });
      expect([asked(), got.receiver, connections]).toEqual([looked, 1, 1]);
    }
  });
});
