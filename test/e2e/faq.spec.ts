import { readFile } from 'node:fs/promises';
import { type Server, startServer } from './server.ts';

const page = new URL('../../docs/faq.md', import.meta.url);

interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string | undefined;
  /** The parts of the answer that the page shows, between the dots. */
  readonly shown: string;
}

/** Every call of the page in order, with the answer shown below it. */
function callsOf(text: string): Call[] {
  const lines = text.split('\n');
  return lines.flatMap((line, index) => {
    const [, verb, path] = /curl -s (?:-X (\w+) )?localhost:3000(\S+)/.exec(line) ?? [];
    if (path === undefined) return [];
    const headers = Object.fromEntries(
      [...line.matchAll(/-H '([^:]+): ([^']+)'/g)].map(([, name, value]) => [name, value]),
    );
    const body = /-d '(.*)'$/.exec(line)?.[1];
    const method = verb ?? (body === undefined ? 'GET' : 'POST');
    const next = lines[index + 1] ?? '';
    return [{ method, path, headers, body, shown: next.startsWith('{') ? next : '' }];
  });
}

/** Instants differ in each run. */
const comparable = (text: string) => text.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'INSTANT');

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

test('each call of the FAQ answers what the page says, and every field that it names is in an answer', async () => {
  const text = await readFile(page, 'utf8');
  const calls = callsOf(text);
  expect(calls.length).toBeGreaterThan(20);
  let answers = '';
  for (const { method, path, headers, body, shown } of calls) {
    const answer = await server.call(method, path, body, headers);
    await server.settle();
    const position = await server.position();
    await server.call('GET', `/api/customers?waitFor=${position}`);
    const refusal = /"status":(4\d\d)/.exec(shown)?.[1];
    const expected = refusal ? [Number(refusal)] : [200, 201];
    expect(`${path} was answered ${answer.status}`).toMatch(new RegExp(`(${expected.join('|')})$`));
    expect(missingIn(answer.text, shown)).toEqual([]);
    answers += answer.text;
  }
  const named = [...text.matchAll(/`(?:[a-z]+\.)?([a-z]+[A-Z]\w*|reason|explanation)`/g)].map(([, field]) => field);
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((field) => !answers.includes(`"${field}":`))).toEqual([]);
});

/** The pieces that the page shows between its dots and that the answer does not contain in this order. */
function missingIn(answer: string, shown: string): string[] {
  let rest = comparable(answer);
  return comparable(shown)
    .split('…')
    .filter((piece) => {
      const at = rest.indexOf(piece);
      if (at >= 0) rest = rest.slice(at + piece.length);
      return at < 0;
    });
}
