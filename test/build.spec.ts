import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { waitUntil } from './wait-until.ts';

/** A project with two source files and Leadger's build script. Its compiler records each run. */
let root: string;
const at = (path: string) => join(root, path);
const read = (path: string) => readFileSync(at(path), 'utf8');
function write(path: string, text: string): void {
  mkdirSync(dirname(at(path)), { recursive: true });
  writeFileSync(at(path), text);
}

const settings = '{ "type": "module", "engines": { "node": ">=24" } }';

/** Replaces the bundler. */
const BUNDLER = `
import { copyFileSync, readFileSync } from 'node:fs';
copyFileSync('dist/main.js', 'dist/program.js');
if (readFileSync('apps/main.ts', 'utf8').includes('no bundle')) process.exit(3);
`;

/** Replaces the compiler: it copies a file and records the run. While a file `hold` exists, it does not end. */
const COMPILER = `
const { appendFileSync, copyFileSync, existsSync, mkdirSync, readFileSync } = require('node:fs');
appendFileSync('runs', existsSync('dist/.tsbuildinfo') ? 'incremental\\n' : 'whole\\n');
mkdirSync('dist/libs/read-models', { recursive: true });
copyFileSync('apps/main.ts', 'dist/main.js');
copyFileSync('apps/main.ts', 'dist/.tsbuildinfo');
copyFileSync('libs/read-models/make-template.ts', 'dist/libs/read-models/make-template.js');
const wait = () => (existsSync('hold') ? setTimeout(wait, 10) : process.exit(readFileSync('apps/main.ts', 'utf8').includes('wrong') ? 2 : 0));
wait();
`;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'leadger-build-'));
  cpSync('tools/build.js', at('tools/build.js'), { recursive: true });
  write('package.json', settings);
  write('package-lock.json', '{}');
  write('tools/bundle.js', BUNDLER);
  for (const path of ['tsconfig.json', 'tsconfig.build.json']) write(path, '{}');
  write('apps/main.ts', 'first');
  write('libs/read-models/make-template.ts', 'process.exitCode = 0;');
  mkdirSync(at('node_modules'));
  symlinkSync(join(process.cwd(), 'node_modules/better-sqlite3'), at('node_modules/better-sqlite3'));
  write('node_modules/typescript-7/package.json', '{ "name": "typescript-7" }');
  write('node_modules/typescript-7/bin/tsc', COMPILER);
});
afterEach(() => rmSync(root, { recursive: true }));

const start = (): ChildProcess => spawn(process.execPath, [at('tools/build.js'), '--if-changed'], { stdio: 'ignore' });
const exitOf = async (build: ChildProcess) => (await once(build, 'exit'))[0] as number | null;
const build = () => exitOf(start());
const runs = () => (existsSync(at('runs')) ? read('runs').trim().split('\n') : []);

test('the first start builds, and later ones do not, whatever the modification times are', async () => {
  expect(await build()).toBe(0);
  utimesSync(at('apps/main.ts'), new Date(), new Date(Date.now() + 60_000));
  expect(await build()).toBe(0);
  expect(runs()).toHaveLength(1);
});

test.each(['apps/main.ts', 'libs/new.ts', 'package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'])(
  'a change of %s is built, also when its modification time is older than the build',
  async (path) => {
    await build();
    write(path, settings.replace('{', '{ "changed": true,'));
    utimesSync(at(path), new Date(0), new Date(0));
    expect(await build()).toBe(0);
    expect(runs()).toHaveLength(2);
    expect(read('dist/program.js')).toBe(read('apps/main.ts'));
  },
);

test('a removed source file causes a build, and a changed spec does not', async () => {
  write('libs/old.ts', 'old');
  await build();
  rmSync(at('libs/old.ts'));
  await build();
  write('libs/old.spec.ts', 'a spec');
  await build();
  expect(runs()).toHaveLength(2);
});

test('sources that do not compile are compiled again at each start, until they do', async () => {
  write('apps/main.ts', 'wrong');
  expect([await build(), await build()]).toEqual([2, 2]);
  write('apps/main.ts', 'right');
  expect([await build(), await build()]).toEqual([0, 0]);
  expect(runs()).toHaveLength(3);
});

test('what cannot be bundled is built again at each start, until it can', async () => {
  write('apps/main.ts', 'no bundle');
  expect([await build(), await build()]).toEqual([3, 3]);
  write('apps/main.ts', 'right');
  expect([await build(), await build()]).toEqual([0, 0]);
  expect(read('dist/program.js')).toBe('right');
});

test('after an interrupted build everything is compiled again, because the notes of the compiler may be wrong', async () => {
  write('hold', '');
  const interrupted = start();
  await waitUntil(() => existsSync(at('dist/.tsbuildinfo')));
  interrupted.kill('SIGKILL');
  expect(await exitOf(interrupted)).toBe(null);
  rmSync(at('hold'));
  expect(await build()).toBe(0);
  expect(runs()).toEqual(['whole', 'whole']);
  write('apps/main.ts', 'second');
  await build();
  expect(runs().at(-1)).toBe('incremental');
});

test('when two programs start at once, one builds and the other waits for it', async () => {
  write('hold', '');
  const first = start();
  await waitUntil(() => existsSync(at('dist/.tsbuildinfo')));
  const second = spawn(process.execPath, [at('tools/build.js'), '--if-changed'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  second.stderr.on('data', (text) => {
    said += text;
  });
  await waitUntil(() => said.includes('waiting for it') || runs().length > 1);
  const ends = Promise.all([exitOf(first), exitOf(second)]);
  rmSync(at('hold'));
  expect(await ends).toEqual([0, 0]);
  expect(runs()).toEqual(['whole']);
});

test('a change during a build is built by the next start', async () => {
  write('hold', '');
  const first = start();
  await waitUntil(() => existsSync(at('dist/.tsbuildinfo')));
  write('apps/main.ts', 'second');
  rmSync(at('hold'));
  expect(await exitOf(first)).toBe(0);
  await build();
  expect(read('dist/main.js')).toBe('second');
});

test('programs without sources, as in a Docker image, are not built', async () => {
  await build();
  for (const directory of ['apps', 'libs', 'node_modules']) rmSync(at(directory), { recursive: true });
  expect(await build()).toBe(0);
  expect(runs()).toHaveLength(1);
});

test('a Node.js that is too old is refused with one line, before it loads anything that it cannot run', () => {
  write('package.json', settings.replace('24', '999'));
  rmSync(at('node_modules'), { recursive: true });
  const { status, stdout, stderr } = spawnSync(process.execPath, [at('tools/build.js')], { encoding: 'utf8' });
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toMatch(/^leadger: this is Node\.js [\d.]+, but Leadger needs Node\.js 999 or newer, .*\n$/);
});
