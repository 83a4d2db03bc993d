import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

/** Not rules of the store. */
const STANDARDS = /^(AES|SHA|UTF)-/;

const textOf = (file: string) => readFile(join(root, file), 'utf8');

/** Ids of rules, each with a file that cites it. */
async function citedIn(...files: string[]): Promise<ReadonlyMap<string, string>> {
  const cited = new Map<string, string>();
  for await (const file of glob(files, { cwd: root }))
    for (const [id] of (await textOf(file)).matchAll(/\b[A-Z]{3}-\d+\b/g)) if (!STANDARDS.test(id)) cited.set(id, file);
  return cited;
}

const rules = async (): Promise<string[]> =>
  [...(await textOf('docs/rules.md')).matchAll(/^\| ([A-Z]{3}-\d+) \|/gm)].map(([, id]) => id as string);

test('every rule that the code or a test cites is in docs/rules.md: else add a line there, or cite another rule', async () => {
  const known = await rules();
  const cited = await citedIn('libs/**/*.ts', 'apps/**/*.ts', 'test/acceptance/*.ts');
  expect([...cited].filter(([id]) => !known.includes(id))).toEqual([]);
  expect(cited.size).toBeGreaterThan(60);
});

test('every rule has an acceptance test: else add one in test/acceptance whose title begins with the id', async () => {
  const titles: string[] = [];
  for await (const file of glob('test/acceptance/*.spec.ts', { cwd: root }))
    for (const [, ids] of (await textOf(file)).matchAll(/['"`]((?:[A-Z]{3}-\d+(?:, )?)+): /g))
      titles.push(...(ids as string).split(', '));
  expect((await rules()).filter((id) => !titles.includes(id))).toEqual([]);
});
