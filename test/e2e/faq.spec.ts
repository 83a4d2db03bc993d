import { readFile } from 'node:fs/promises';
import { type Server, startServer } from './server.ts';

const page = new URL('../../docs/faq.md', import.meta.url);

interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string | undefined;
  /** What the page shows of the answer: between the dots, as it stands. */
  readonly shown: string;
}

/** Every call of the page, in its order, with what is shown below it. */
function callsOf(text: string): Call[] {
  const lines = text.split('\n');
  return lines.flatMap((line, index) => {
    const [, path] = /curl -s (?:-X POST )?localhost:3000(\S+)/.exec(line) ?? [];
    if (path === undefined) return [];
    const headers = Object.fromEntries(
      [...line.matchAll(/-H '([^:]+): ([^']+)'/g)].map(([, name, value]) => [name, value]),
    );
    const body = /-d '(.*)'$/.exec(line)?.[1];
    const method = body !== undefined || line.includes('-X POST') ? 'POST' : 'GET';
    const next = lines[index + 1] ?? '';
    return [{ method, path, headers, body, shown: next.startsWith('{') ? next : '' }];
  });
}

/** Instants and ids of leads are everybody's own. */
const comparable = (text: string) => text.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'INSTANT');

let server: Server;
beforeAll(async () => {
  server = await startServer();
}, 60_000);
afterAll(() => server.stop());

test('each call of the FAQ answers what the page says', async () => {
  const calls = callsOf(await readFile(page, 'utf8'));
  expect(calls.length).toBeGreaterThan(15);
  const differing: string[] = [];
  for (const { method, path, headers, body, shown } of calls) {
    const { status, text } = await server.call(method, path, body, headers);
    await server.settle();
    const { position } = (await server.call('GET', '/health')).body.store;
    await server.call('GET', `/api/customers?waitFor=${position}`);
    if (path === '/api/policy') await returnALead();
    const expected = shown.includes('"status":409') ? 409 : undefined;
    if (expected === undefined ? status >= 300 : status !== expected) differing.push(`${method} ${path}: ${text}`);
    const parts = comparable(shown)
      .split('…')
      .filter((part) => part !== '' && part !== ',');
    const missing = parts.filter((part) => !comparable(text).includes(part));
    if (missing.length > 0) differing.push(`${method} ${path}: ${missing.join(' ')} not in ${text}`);
  }
  expect(differing).toEqual([]);
});

/** What the page does not show: that a lead was returned before it was asked for returns. */
async function returnALead(): Promise<void> {
  const json = { 'content-type': 'application/json' };
  const { items } = (await server.call('GET', '/api/customers/7cc11cd8-3652-5875-8a74-f8eb76ce5181/leads')).body;
  const [{ orderId, leadId }] = items;
  await server.call('POST', '/api/replacements', JSON.stringify({ orderId, leadId, reason: 'not interested' }), json);
  await server.settle();
  const { position } = (await server.call('GET', '/health')).body.store;
  await server.call('GET', `/api/customers?waitFor=${position}`);
}
