import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitUntil } from '#test/wait-until';
import { writeOut } from './output.ts';

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'leadger-output-'));
  file = join(directory, 'log.ndjson');
});
afterEach(() => rmSync(directory, { recursive: true }));

async function* pieces() {
  yield 'all of it\n';
}

/** A program that has written the first half, and waits for the second. */
async function halfWritten(): Promise<ChildProcess> {
  const program = `
    import { writeOut } from ${JSON.stringify(join(import.meta.dirname, 'output.ts'))};
    async function* pieces() { yield 'the first half'; await new Promise((resolve) => setTimeout(resolve, 1e9)); }
    await writeOut(pieces(), ${JSON.stringify(file)});`;
  const flags = ['--conditions=source', '--no-warnings', '--input-type=module', '-e', program];
  const child = spawn(process.execPath, flags, { stdio: 'inherit' });
  const part = `${file}.${child.pid}.part`;
  await waitUntil(() => existsSync(part) && readFileSync(part, 'utf8') === 'the first half');
  return child;
}

it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('a program that %s ends leaves nothing of a file', async (signal) => {
  const child = await halfWritten();
  const ended = once(child, 'exit');
  child.kill(signal);
  expect(await ended).toEqual([null, signal]);
  expect(readdirSync(directory)).toEqual([]);
});

it('the next program removes what one that was killed has left, but not what one is writing', async () => {
  const [killed, writing] = [await halfWritten(), await halfWritten()];
  const ended = once(killed, 'exit');
  killed.kill('SIGKILL');
  await ended;
  writeFileSync(join(directory, 'other.ndjson.1.part'), 'of another file');
  await writeOut(pieces(), file);
  expect(readdirSync(directory).sort()).toEqual([
    'log.ndjson',
    `log.ndjson.${writing.pid}.part`,
    'other.ndjson.1.part',
  ]);
  const over = once(writing, 'exit');
  writing.kill('SIGINT');
  await over;
  expect(readFileSync(file, 'utf8')).toBe('all of it\n');
});
