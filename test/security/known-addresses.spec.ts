import { createHook } from 'node:async_hooks';
import type { EventStore } from '#event-store/port';
import { addCustomer, addMember, endTrial, keptMails } from '#test/acceptance/staff';
import { type Reply, type Server, startServer } from '#test/e2e/server';
import { EVENT_STORE } from '#wiring/tokens';

/*
 * Whether the store knows an address shows in no answer: not in its bytes, and not in the work it takes. How long it takes is measured by
 * bench/known-addresses.ts: a machine under load would make a test of it fail by chance.
 */
const TRIES = Number(process.env.LEADGER_ADDRESS_TRIES ?? 30);

let server: Server;
const mails = keptMails();
let people = 0;
const newAddress = () => `stranger${++people}@example.org`;

interface Work {
  hashings: number;
  reads: number;
}
const work: Work = { hashings: 0, reads: 0 };
/** Node says of each run of Argon2 that it begins: nothing of the program is replaced. */
const hook = createHook({
  init(_, type) {
    if (type === 'ARGON2REQUEST') work.hashings += 1;
  },
});

beforeAll(async () => {
  const http = { edge: { publicUrl: 'https://shop.example', trustedProxies: ['127.0.0.1'] } };
  server = await startServer({ mails: mails.gateway, http });
  const store = server.application.get<EventStore>(EVENT_STORE);
  const readStream = store.readStream.bind(store);
  store.readStream = (...asked) => {
    work.reads += 1;
    return readStream(...asked);
  };
  hook.enable();
});
afterAll(() => {
  hook.disable();
  return server.stop();
});

/** Each try comes from a network of its own, as it would from somebody who has many. */
let networks = 0;
function fromElsewhere(): Record<string, string> {
  networks += 1;
  return { 'x-forwarded-for': `10.${networks >> 8}.${networks & 255}.1` };
}
const post = (path: string, body: object) => server.call('POST', path, body, fromElsewhere());

const account = { storeId: 'main', businessAssociation: 'Typed', timeZone: 'UTC', password: 'typed by somebody' };
const wish = { leadTypeId: 'exclusive-fresh', quantity: 1 };

/** What a stranger may send with an address. */
const doors: Readonly<Record<string, (email: string) => Promise<Reply>>> = {
  'a sign-in': (email) => post('/api/sign-ins', { email, password: 'a guess at a password' }),
  'a registration': (email) => post('/api/customers', { ...account, email }),
  'a registration without a password': (email) => post('/api/customers', { ...account, email, password: undefined }),
  'a recovery': (email) => post('/api/password-recoveries', { email }),
  'a checkout without sign-in': (email) => post('/api/checkouts', { ...wish, account: { ...account, email } }),
  'an order without sign-in': (email) =>
    post('/api/orders', { ...wish, paymentToken: 'tok_ok', account: { ...account, email } }),
};

const IDS = /[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g;
/** All that is sent back, but for new ids and the time. */
const shown = ({ status, headers, text }: Reply): string =>
  JSON.stringify([status, [...headers].filter(([name]) => name !== 'date'), text]).replace(IDS, 'ID');

/** Whom the store knows by an address, in different ways. */
const known: Record<string, string> = {};
beforeAll(async () => {
  for (const name of ['customer', 'another-customer']) {
    known[name] = `${name}@example.org`;
    await addCustomer(server, mails, known[name]);
  }
  known['not proved'] = 'not-proved@example.org';
  await server.call('POST', '/api/customers', { ...account, email: known['not proved'] });
  known['without a password'] = 'without@example.org';
  await server.call('POST', '/api/customers', { ...account, email: known['without a password'], password: undefined });
  known.administrator = 'ada@example.com';
  const { headers } = await endTrial(server);
  known.member = 'sam@example.com';
  await addMember(server, headers, mails, { email: known.member, roles: ['support'] });
  await server.settle();
});

async function answers(door: (email: string) => Promise<Reply>, emails: readonly string[]) {
  const found = new Map<string, string>();
  for (const email of emails) {
    work.hashings = 0;
    const answer = shown(await door(email));
    found.set(`${work.hashings} hashings, ${answer}`, email);
    await server.settle();
  }
  return [...found.keys()];
}

test.each(Object.keys(doors))(
  '%s is answered alike, with as many hashings, for all who are known and who are not',
  async (name) => {
    const door = doors[name] as (typeof doors)[string];
    const emails = Array.from({ length: TRIES }, (_, index) => {
      const some = Object.values(known);
      return index % 2 ? newAddress() : (some[(index / 2) % some.length] as string);
    });
    expect(await answers(door, emails)).toHaveLength(1);
  },
);

test('the right password of an address that is not proved is answered like a wrong one', async () => {
  const email = known['not proved'] as string;
  const [right, wrong] = [
    await post('/api/sign-ins', { email, password: account.password }),
    await post('/api/sign-ins', { email: newAddress(), password: account.password }),
  ];
  expect(shown(right)).toBe(shown(wrong));
  expect(right.status).toBe(401);
});

test('a sign-in reads as many streams of the log for an address that is known as for one that is not', async () => {
  const reads = async (email: string) => {
    await server.settle();
    work.reads = 0;
    await doors['a sign-in']?.(email);
    return work.reads;
  };
  const least = async (email: () => string) => {
    const counts: number[] = [];
    for (let attempt = 0; attempt < 8; attempt += 1) counts.push(await reads(email()));
    return Math.min(...counts);
  };
  expect(await least(() => known.customer as string)).toBe(await least(newAddress));
});
