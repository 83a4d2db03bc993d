import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Program } from './program.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'leadger-log-'));
});
afterAll(() => rm(directory, { recursive: true }));

const CANARY = 'canary@example.org';

test('the log of requests names routes, and nothing that was typed in a path or a query', async () => {
  const program = new Program('standalone', ['--data', directory, '--port', '0'], { LEADGER_LOG_LEVEL: 'trace' });
  const url = (await program.says(/ready: (\S+)/))[1] as string;
  const statuses: number[] = [];
  for (const path of [
    `/api/customers/${CANARY}`,
    `/api/customers?q=${CANARY}`,
    `/api/none/${CANARY}?email=${CANARY}`,
    `/${CANARY}`,
    `/api/orders/${CANARY}/%zz`,
    `/api/customers/${CANARY}${'x'.repeat(600)}`,
  ])
    statuses.push((await fetch(url + path)).status);
  expect(statuses).toEqual([404, 400, 404, 404, 400, 414]);
  await fetch(`${url}/api/customers/${CANARY}`, { method: 'DELETE' });
  await sendGarbage(new URL(url).port, `GET /${CANARY} HTTP/9\r\n\r\n`);
  expect((await program.stop()).code).toBe(0);
  expect(program.stderr).toContain('"method":"GET","route":"/api/customers/:customerId"');
  expect(program.stderr.split('\n').filter((line) => line.includes('canary'))).toEqual([]);
});

const sendGarbage = (port: string, text: string): Promise<void> =>
  new Promise((resolve) => {
    const socket = connect(Number(port), '127.0.0.1', () => socket.end(text));
    socket.resume().on('close', () => resolve());
  });
