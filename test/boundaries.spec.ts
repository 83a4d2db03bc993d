import { spawnSync } from 'node:child_process';
import { copyFileSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');

const forbidden = [
  ['libs/domain/orders', '#event-store/port', 'imports nothing but itself'],
  ['libs/domain/orders', '#wiring/leadger.module', 'imports nothing but itself'],
  ['libs/domain/orders', '../../wiring/leadger.module.ts', 'imported by name'],
  ['libs/domain/orders', 'node:fs', 'no I/O'],
  ['libs/domain/orders', '@nestjs/common', 'Only libs/wiring and apps know Nest'],
  ['libs/event-store/embedded', '#wiring/leadger.module', 'Imports point one way'],
  ['libs/vault', '#read-models/queries', 'base'],
  ['libs/audit', '#processes/lead-distribution', 'base'],
  ['libs/gateways', '@nestjs/common', 'Only libs/wiring and apps know Nest'],
  ['libs/processes', '#read-models/queries', 'never import each other'],
  ['libs/read-models', '#processes/lead-ageing', 'never import each other'],
  ['libs/read-models/models', '../../processes/lead-ageing.ts', 'imported by name'],
  ['libs/domain/orders', '#requests/orders', 'imports nothing but itself'],
  ['libs/processes', '#requests/orders', 'Imports point one way'],
  ['libs/read-models', '#requests/orders', 'Imports point one way'],
  ['libs/event-store', '#requests/orders', 'Imports point one way'],
  ['libs/requests', '#wiring/leadger.module', 'Imports point one way'],
  ['libs/requests', '@nestjs/cqrs', 'Only libs/wiring and apps know Nest'],
  ['libs/requests', 'class-validator', 'Only libs/wiring and apps know Nest'],
  ['libs/requests', '../domain/codec.ts', 'imported by name'],
  ['libs/wiring', '#apps/api/api.module', 'Imports point one way'],
  ['libs/wiring', '../requests/orders.ts', 'imported by name'],
  ['libs/wiring', '../domain/codec.ts', 'imported by name'],
  ['apps/api', '#test/given', 'base'],
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

const fileOf = (folder: string, module: string): string => `${folder}/${module.replaceAll(/[^a-z]/g, '-')}.ts`;

/** The project's own lint rules, on files in the same folders that import what they should, or should not. */
function lint(imports: readonly (readonly [folder: string, module: string, message?: string])[]): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'leadger-spec-'));
  try {
    copyFileSync(join(root, 'biome.json'), join(directory, 'biome.json'));
    for (const [folder, module] of imports) {
      const file = join(directory, fileOf(folder, module));
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, `import { x } from '${module}';\n\nexport const y = x;\n`);
    }
    const biome = join(root, 'node_modules/.bin/biome');
    const options = ['lint', '--reporter=github', '--vcs-enabled=false', '--max-diagnostics=none', '.'];
    return spawnSync(biome, options, { cwd: directory, encoding: 'utf8' }).stdout.split('\n');
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe('imports point one way', () => {
  const said = lint([...forbidden, ...allowed]).filter((line) => line.includes('noRestrictedImports'));
  const saidOf = (folder: string, module: string) => said.filter((line) => line.includes(fileOf(folder, module)));

  it.each(forbidden)('%s may not import %s', (folder, module, message) => {
    expect(saidOf(folder, module)).toEqual([expect.stringContaining(message)]);
  });

  it.each(allowed)('%s may import %s', (folder, module) => {
    expect(saidOf(folder, module)).toEqual([]);
  });
});

describe('the wall clock', () => {
  /** The store's word on when it wrote, how long something took, and a machine's own life: no business time. */
  const readersAllowed = ['libs/gateways/clock.ts', 'libs/event-store/embedded/writer.ts'];

  it('is read by the clock gateway only', () => {
    const sources = globSync('{apps,libs}/**/*.ts', { cwd: root }).filter((file) => !file.endsWith('.spec.ts'));
    const readers = sources.filter((file) => /Date\.now\(\)|new Date\(\)/.test(readFileSync(join(root, file), 'utf8')));
    expect(sources.length).toBeGreaterThan(50);
    expect(readers.sort()).toEqual(readersAllowed.sort());
  });
});
