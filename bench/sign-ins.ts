// How long a read takes beside 400 sign-ins at once. Of a program that runs, with TRUSTED_PROXIES=127.0.0.1, so that each of them
// has a network of its own: npm run bench -- bench/sign-ins.ts http://127.0.0.1:3000
import { request } from 'node:http';

const [url = 'http://127.0.0.1:3000'] = process.argv.slice(2);
const SIGN_INS = 400;
const READS = 400;

interface Call {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** @returns the status, and the milliseconds until the whole answer was there */
const call = (
  path: string,
  { body, ...options }: Call = {},
): Promise<readonly [status: number, milliseconds: number]> =>
  new Promise((resolve, reject) => {
    const since = performance.now();
    const sent = request(url + path, { agent: false, ...options }, (answer) => {
      answer.resume().on('end', () => resolve([answer.statusCode ?? 0, performance.now() - since]));
    });
    sent.on('error', reject).end(body);
  });

async function readsWhile(lasts: () => boolean): Promise<number[]> {
  const times: number[] = [];
  while (lasts()) times.push((await call('/api/stores'))[1]);
  return times;
}

const percentile = (times: readonly number[], part: number): number =>
  [...times].sort((one, other) => one - other)[Math.floor((times.length - 1) * part)] ?? Number.NaN;
const told = (times: readonly number[]): string =>
  `${times.length} reads, p50 ${percentile(times, 0.5).toFixed(1)} ms, p99 ${percentile(times, 0.99).toFixed(1)} ms`;

let left = READS;
await readsWhile(() => left-- > 0);
left = READS;
const before = await readsWhile(() => left-- > 0);

let isOver = false;
const signIn = (index: number) =>
  call('/api/sign-ins', {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-forwarded-for': `10.${index >> 8}.${index & 255}.1`,
      host: 'localhost',
    },
    body: JSON.stringify({ email: `nobody${index}@example.org`, password: 'not the password' }),
  });
const signIns = Promise.all(Array.from({ length: SIGN_INS }, (_, index) => signIn(index))).finally(() => {
  isOver = true;
});
const during = await readsWhile(() => !isOver);
const statuses = Map.groupBy(await signIns, ([status]) => status);

console.log(`before: ${told(before)}`);
console.log(`during: ${told(during)}`);
console.log(`ratio of the p99: ${(percentile(during, 0.99) / percentile(before, 0.99)).toFixed(2)}`);
for (const [status, answers] of statuses) console.log(`${answers.length} sign-ins were answered ${status}`);
