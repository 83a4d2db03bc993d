// Whether the time of an answer tells that the store knows an address: one door after the other, with known and unknown addresses in random
// order. Of a trial that runs, with TRUSTED_PROXIES=127.0.0.1, so that each try comes from a network of its own:
// LEADGER_TRIES=1000 npm run bench -- bench/known-addresses.ts http://127.0.0.1:3000 [sign-in registration recovery checkout]
import { request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { proveAddress } from '../test/mail-copies.ts';
import { median, rankTest } from '../test/security/rank-test.ts';

const [url = 'http://127.0.0.1:3000', ...asked] = process.argv.slice(2);
const TRIES = Number(process.env.LEADGER_TRIES ?? 1000);
/** So many that none is asked often: the store limits what an account is asked, from whatever networks. */
const KNOWN = 50;
/** What an answer leaves to do must not count for the next one. */
const REST_MILLISECONDS = 20;
const MOST_DIFFERENCE_MILLISECONDS = 2;
const LEAST_PROBABILITY = 0.01;

const { port } = new URL(url);
async function ask(method: string, path: string, body?: unknown) {
  const json =
    body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const text = await (await fetch(url + path, { method, ...json })).text();
  return text.startsWith('{') ? JSON.parse(text) : text;
}
const store = {
  ask,
  /** A mail is sent some time after the answer. */
  async read(path: string) {
    for (;;) {
      const page = await ask('GET', path);
      if (page.items?.[0]?.status === 'sent') return page;
      await pause(100);
    }
  },
};

const account = { storeId: 'main', businessAssociation: 'Typed', timeZone: 'UTC', password: 'typed by somebody' };
const run = Date.now();
const known = Array.from({ length: KNOWN }, (_, index) => `known${run}.${index}@example.org`);
for (const email of known)
  await proveAddress(store, (await ask('POST', '/api/customers', { ...account, email })).customerId);

let networks = 0;
let strangers = 0;

/** @returns the milliseconds until the answer began */
function timeOf(path: string, body: object): Promise<number> {
  networks += 1;
  const headers = {
    'content-type': 'application/json',
    host: 'localhost',
    'x-forwarded-for': `10.${(networks >> 16) & 255}.${(networks >> 8) & 255}.${networks & 255}`,
  };
  return new Promise((resolve, reject) => {
    const since = performance.now();
    const sent = request({ host: '127.0.0.1', port, path, method: 'POST', headers, agent: false }, (answer) => {
      const took = performance.now() - since;
      if ((answer.statusCode ?? 500) === 429 || (answer.statusCode ?? 500) >= 500)
        reject(new Error(`${path} was answered ${answer.statusCode}`));
      answer.resume().on('end', () => resolve(took));
    });
    sent.on('error', reject).end(JSON.stringify(body));
  });
}

const doors: Readonly<Record<string, (email: string) => Promise<number>>> = {
  'sign-in': (email) => timeOf('/api/sign-ins', { email, password: 'a guess at a password' }),
  registration: (email) => timeOf('/api/customers', { ...account, email }),
  recovery: (email) => timeOf('/api/password-recoveries', { email }),
  checkout: (email) =>
    timeOf('/api/checkouts', { leadTypeId: 'exclusive-fresh', quantity: 1, account: { ...account, email } }),
};

async function measure(door: (email: string) => Promise<number>) {
  const times = { known: [] as number[], unknown: [] as number[] };
  for (let index = -10; index < TRIES; index += 1) {
    const pair = [
      ['known', known[(index + 10) % KNOWN] as string] as const,
      ['unknown', `stranger${run}.${++strangers}@example.org`] as const,
    ];
    for (const [kind, email] of Math.random() < 0.5 ? pair : pair.toReversed()) {
      await pause(REST_MILLISECONDS);
      const took = await door(email);
      // The first ones are compiled.
      if (index >= 0) times[kind].push(took);
    }
  }
  return times;
}

let isTold = false;
for (const [name, door] of Object.entries(doors)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const times = await measure(door);
  const { p, medianDifference } = rankTest(times.known, times.unknown);
  const differs = p <= LEAST_PROBABILITY && Math.abs(medianDifference) > MOST_DIFFERENCE_MILLISECONDS;
  isTold ||= differs;
  console.log(
    `${name}: ${TRIES} tries each, median ${median(times.known).toFixed(2)} ms known, ${median(times.unknown).toFixed(2)} ms unknown, ` +
      `difference ${medianDifference.toFixed(2)} ms, p = ${p.toFixed(4)}: ${differs ? 'the time tells' : 'no difference that tells'}`,
  );
}
process.exitCode = isTold ? 1 : 0;
