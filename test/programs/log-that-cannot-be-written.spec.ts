import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitUntil } from '#test/wait-until';
import { Program } from './program.ts';

/* A full disk under the log, or a reader of it that is gone, costs lines of the log and nothing else. */

const directory = mkdtempSync(join(tmpdir(), 'leadger-full-'));
const full = openSync('/dev/full', 'w');
afterAll(() => {
  closeSync(full);
  rmSync(directory, { recursive: true });
});

const LOGS_ALL = { LEADGER_LOG_LEVEL: 'info' };
const storeIn = (name: string) => ['--data', join(directory, name), '--port', '0'];

/** Each look is a request, which is told in the log. */
async function linesLostBy(url: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^leadger_log_lines_lost_total (\d+)/m.exec(metrics)?.[1]);
}

test('a store goes on when the disk of its log is full, and counts the lines', async () => {
  const program = new Program('standalone', storeIn('full'), LOGS_ALL, ['pipe', full]);
  try {
    const url = (await program.says(/ready: (\S+)/))[1] as string;
    await waitUntil(async () => (await linesLostBy(url)) > 2);
    expect((await program.stop()).code).toBe(0);
  } finally {
    await program.kill();
  }
});

test('a store whose log had no reader writes again for the next one, and says how many lines are missing', async () => {
  const path = join(directory, 'log');
  spawnSync('mkfifo', [path]);
  const first = await open(path, 'r+');
  const log = openSync(path, 'w');
  const program = new Program('standalone', storeIn('pipe'), LOGS_ALL, ['pipe', log]);
  closeSync(log);
  try {
    const url = (await program.says(/ready: (\S+)/))[1] as string;
    expect(await linesLostBy(url)).toBe(0);
    await first.close();
    await waitUntil(async () => (await linesLostBy(url)) > 0);

    const next = spawn('sed', ['/are lost/q', path]);
    let read = '';
    next.stdout.on('data', (text) => {
      read += text;
    });
    await Promise.all([once(next, 'close'), linesLostBy(url)]);
    const [line = ''] = /^.*could not be written here, and are lost: [1-9].*$/m.exec(read) ?? [];
    expect(JSON.parse(line)).toMatchObject({ level: 40, kind: 'notice' });
  } finally {
    await program.kill();
  }
});

test('a command does what it is to do when its log cannot be written, and fails when its output cannot', async () => {
  const unlogged = await new Program('cli', ['catalog', '--errors'], LOGS_ALL, ['pipe', full]).ended;
  expect([unlogged.code, unlogged.stdout]).toEqual([0, expect.stringContaining('bad-cursor')]);

  const unprinted = await new Program('cli', ['catalog', '--errors'], LOGS_ALL, [full]).ended;
  const [begun, said, ended] = unprinted.stderr.split('\n');
  expect([unprinted.code, said]).toEqual([
    1,
    'leadger: standard output cannot be written: ENOSPC: no space left on device, write',
  ]);
  expect([begun, ended].map((line) => JSON.parse(line as string).outcome).sort()).toEqual(['begun', 'failed']);
});
