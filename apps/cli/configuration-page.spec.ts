import { readFileSync } from 'node:fs';
import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { settingNames } from '#apps/configuration';
import { configurationPage } from './configuration-page.ts';

const root = join(import.meta.dirname, '../..');

it('docs/configuration.md is up to date: else run `npm run generate`', () => {
  expect(readFileSync(join(root, 'docs/configuration.md'), 'utf8').trimEnd()).toBe(configurationPage().trimEnd());
});

it('every variable that a program reads is in the table of settings: else add it to apps/configuration.ts', async () => {
  const read = new Set<string>();
  for await (const file of glob(['libs/**/*.ts', 'apps/**/*.ts'], { cwd: root }))
    if (!file.endsWith('.spec.ts'))
      for (const name of namesIn(await readFile(join(root, file), 'utf8'))) read.add(name);
  expect([...read].filter((name) => !settingNames.some((known) => known === name))).toEqual([]);
  expect(read.size).toBeGreaterThan(8);
});

const namesIn = (text: string): string[] =>
  [...text.matchAll(/\benv(?:ironment)?\.((?!NODE_)[A-Z][A-Z_]+)\b|\b((?:LEADGER|OTEL)_[A-Z_]+[A-Z])\b/g)].map(
    ([, dotted, named]) => (dotted ?? named) as string,
  );
