import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Program } from './program.ts';

/** Loading these takes most of the time of a command that needs the store. */
const HEAVY = /@nestjs|@electric-sql|better-sqlite3|db-client|\/libs\/wiring\//;

/** What is in a file that is loaded: in a bundle there are many modules, which its map names. */
function modulesIn(url: string): string[] {
  const map = url.startsWith('file:') ? `${fileURLToPath(url)}.map` : '';
  if (!existsSync(map)) return [url];
  const { sources }: { sources: string[] } = JSON.parse(readFileSync(map, 'utf8'));
  return sources.map((source) => new URL(source, url).href);
}

/** The modules that a command of `leadger` loads; V8 records their files for coverage. */
async function modulesOf(parameters: readonly string[]): Promise<string[]> {
  const directory = await mkdtemp(join(tmpdir(), 'leadger-modules-'));
  await new Program('cli', parameters, { NODE_V8_COVERAGE: directory, NODE_DISABLE_COMPILE_CACHE: '1' }).ended;
  const reports = await Promise.all((await readdir(directory)).map((name) => readFile(join(directory, name), 'utf8')));
  await rm(directory, { recursive: true });
  return reports.flatMap((report) => JSON.parse(report).result.flatMap(({ url }: { url: string }) => modulesIn(url)));
}

test.each([
  [['--help']],
  [['--version']],
  [['timeline', '--help']],
  [['catalog']],
  [['catalog', '--views']],
  [['clock']],
  [['clock', '--days', '0']],
  [['rebuild']],
  [['query']],
  [['export', '--opened', 'fill_rate']],
  [['no-such-command']],
])('leadger %j needs no store, and loads nothing that only a store needs', async (parameters) => {
  const modules = await modulesOf(parameters);
  expect(modules.some((url) => url.endsWith('/apps/cli/main.ts'))).toBe(true);
  expect(modules.filter((url) => HEAVY.test(url))).toEqual([]);
});

test.each(['sql', 'serve-events'])('leadger %s says that a number is not a port', async (command) => {
  const { code, stderr } = await new Program('cli', [command, '--port', '70000']).ended;
  expect(code).toBe(1);
  expect(stderr).toMatch(/^error: option '--port <number>' argument '70000' is invalid. It is not a port, 0 to 65535/);
});
