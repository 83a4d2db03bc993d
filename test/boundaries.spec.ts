import { spawnSync } from 'node:child_process';
import { copyFileSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { type Border, borders, overrides } from '../tools/borders.ts';

const root = join(import.meta.dirname, '..');

/** What the table in tools/borders.ts must never allow. */
const forbidden = [
  ['libs/domain/orders', '#event-store/port'],
  ['libs/domain/orders', '#wiring/leadger.module'],
  ['libs/domain/orders', '../../wiring/leadger.module.ts'],
  ['libs/domain/orders', 'node:fs'],
  ['libs/domain/orders', '@nestjs/common'],
  ['libs/domain/orders', 'pg'],
  ['libs/domain/orders', 'class-validator'],
  ['libs/domain/orders', '#requests/orders'],
  ['libs/event-store/embedded', '#wiring/leadger.module'],
  ['libs/event-store', '#vault/vault'],
  ['libs/event-store', '#requests/orders'],
  ['libs/event-store/contract', '#apps/program'],
  ['libs/vault', '#read-models/queries'],
  ['libs/audit', '#processes/lead-distribution'],
  ['libs/audit/laws', '#domain/orders/order'],
  ['libs/audit/laws', '../replay.ts'],
  ['libs/gateways', '@nestjs/common'],
  ['libs/gateways', '#audit/history'],
  ['libs/processes', '#read-models/queries'],
  ['libs/processes', '#requests/orders'],
  ['libs/processes', '#event-store/port'],
  ['libs/processes', '#vault/vault'],
  ['libs/processes/lead-distribution', 'pg'],
  ['libs/processes/engine', 'class-validator'],
  ['libs/read-models', '#processes/lead-ageing'],
  ['libs/read-models', '#requests/orders'],
  ['libs/read-models/models', '../../processes/lead-ageing.ts'],
  ['libs/read-models/engine', '../models/orders.ts'],
  ['libs/requests', '#wiring/leadger.module'],
  ['libs/requests', '#event-store/embedded/embedded-store'],
  ['libs/requests', '#read-models/engine/model'],
  ['libs/requests', '@nestjs/cqrs'],
  ['libs/requests', 'class-validator'],
  ['libs/requests', 'fastify'],
  ['libs/requests', '../domain/codec.ts'],
  ['libs/wiring', '#apps/api/api.module'],
  ['libs/wiring', '../requests/orders.ts'],
  ['libs/wiring', '../domain/codec.ts'],
  ['apps/api', '#test/given'],
  ['apps/api', '../../libs/domain/codec.ts'],
  ['apps/cli/demo', '../../../libs/domain/codec.ts'],
  ['apps/cli', '#apps/api/api.module'],
] as const;

const allowed = [
  ['libs/domain/orders', '../kernel/events.ts'],
  ['libs/domain/orders', 'zod'],
  ['libs/processes', '#domain/policy/policy'],
  ['libs/requests', '#event-store/port'],
  ['libs/requests', '#read-models/queries'],
  ['libs/wiring', '@nestjs/common'],
  ['libs/wiring', '#requests/requests'],
  ['libs/wiring', '#event-store/port'],
  ['apps/api', '#wiring/leadger.module'],
] as const;

type Probe = readonly [folder: string, module: string];

const idOf = ([folder, module]: Probe): string => `${folder} imports ${module}`;

/** The lint rules of the project, on files in the same folders. @returns the imports that they refuse */
function refusedOf(probes: readonly Probe[]): ReadonlySet<string> {
  const directory = mkdtempSync(join(tmpdir(), 'leadger-spec-'));
  try {
    copyFileSync(join(root, 'biome.json'), join(directory, 'biome.json'));
    const folders = Object.entries(Object.groupBy(probes, ([folder]) => folder));
    for (const [folder, ofFolder = []] of folders) {
      mkdirSync(join(directory, folder), { recursive: true });
      writeFileSync(
        join(directory, folder, 'probe.ts'),
        ofFolder.map(([, module]) => `import '${module}';\n`).join(''),
      );
    }
    const biome = join(root, 'node_modules/.bin/biome');
    const options = ['lint', '--reporter=github', '--vcs-enabled=false', '--max-diagnostics=none', '.'];
    const { stdout } = spawnSync(biome, options, { cwd: directory, encoding: 'utf8', maxBuffer: Infinity });
    const inFolder = new Map(folders);
    const refused = stdout.matchAll(/noRestrictedImports,file=\S*?((?:apps|libs)\S*)\/probe\.ts,line=(\d+)/g);
    return new Set(
      [...refused]
        .map(([, folder = '', line]) => inFolder.get(folder)?.[Number(line) - 1])
        .map((probe) => (probe ? idOf(probe) : 'unknown')),
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const ourFiles = globSync('{libs,apps,test}/**/*.ts', { cwd: root }).filter((file) => !file.endsWith('.spec.ts'));
const namesOfModules: readonly string[] = [
  ...ourFiles.map((file) => `#${file.replace(/^libs\//, '').replace(/\.ts$/, '')}`),
  ...Object.keys({ ...dependencies, ...devDependencies }),
  ...builtinModules.map((name) => `node:${name}`),
];

/** The row of a file: that of the innermost folder. */
const borderOf = (file: string): Border | undefined =>
  borders
    .filter(({ folder }) => file.startsWith(`${folder}/`))
    .toSorted((one, other) => other.folder.length - one.folder.length)[0];

/** What a row of the table means, in code that knows nothing of lint rules. */
function isAllowed({ mayImport }: Border, module: string): boolean {
  return mayImport.split(/\s+/).some((entry) => {
    if (entry.endsWith('/**')) return module.startsWith(entry.slice(0, -2));
    if (entry === 'node:*') return module.startsWith('node:');
    return module === entry || (!entry.startsWith('#') && module.startsWith(`${entry}/`));
  });
}

/** From each folder with sources: each module by its name, and a path into each other folder. */
const probesOf = (border: Border): readonly Probe[] => {
  const folders = new Set(ourFiles.map(dirname).filter((folder) => borderOf(`${folder}/probe.ts`) === border));
  return [...folders].flatMap((folder) => [
    ...namesOfModules.map((module): Probe => [folder, module]),
    ...borders.map((other): Probe => [folder, pathTo(other.folder, folder)]),
  ]);
};

function pathTo(folder: string, from: string): string {
  const path = join(relative(from, folder), 'probe.ts');
  return path.startsWith('.') ? path : `./${path}`;
}

const isInside = ({ folder }: Border, [from, path]: Probe): boolean => join(from, path).startsWith(`${folder}/`);

describe('imports point one way', () => {
  const refused = refusedOf([...forbidden, ...allowed, ...borders.flatMap(probesOf)]);

  it.each(forbidden)('%s may not import %s', (...probe) => {
    expect(refused).toContain(idOf(probe));
  });

  it.each(allowed)('%s may import %s', (...probe) => {
    expect(refused).not.toContain(idOf(probe));
  });

  it.each(borders)('$folder imports what its row of the table allows, and nothing else', (border) => {
    const probes = probesOf(border);
    const toRefuse = probes.filter((probe) =>
      probe[1].startsWith('.') ? !isInside(border, probe) : !isAllowed(border, probe[1]),
    );
    expect(probes.length).toBeGreaterThan(100);
    expect(probes.map(idOf).filter((id) => refused.has(id))).toEqual(toRefuse.map(idOf));
  });

  it('each source file has a row', () => {
    const sources = ourFiles.filter((file) => !file.startsWith('test/'));
    expect(sources.filter((file) => !borderOf(file))).toEqual([]);
  });

  it('the lint rules are those that `npm run borders` generates', () => {
    expect(JSON.parse(readFileSync(join(root, 'biome.json'), 'utf8')).overrides).toEqual(overrides);
  });
});

describe('the wall clock', () => {
  /** The store's word on when it wrote, how long something took, and a machine's own life: no business time. */
  const readersAllowed = [
    'libs/gateways/clock.ts',
    // An example in a page.
    'apps/cli/sandbox-page.ts',
    // Only where nobody gives it a clock: the programs give it the one of the store.
    'libs/gateways/stripe-payments.ts',
    'libs/event-store/embedded/writer.ts',
    'libs/event-store/wire-node/server-clock.ts',
  ];

  it('is read by the clock gateway only', () => {
    const sources = globSync('{apps,libs}/**/*.ts', { cwd: root }).filter((file) => !file.endsWith('.spec.ts'));
    const readers = sources.filter((file) => /Date\.now\b|new Date\(\)/.test(readFileSync(join(root, file), 'utf8')));
    expect(sources.length).toBeGreaterThan(50);
    expect(readers.sort()).toEqual(readersAllowed.sort());
  });
});
