import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServer } from '#test/e2e/server';
import { lockedPackages } from '../../tools/lockfile.ts';
import { serve } from './program.ts';

async function documentOf(url: string): Promise<{ components: { schemas: object } }> {
  return (await fetch(`${url}/api/openapi.json`)).json() as Promise<{ components: { schemas: object } }>;
}

test('the bundled program describes the same API as its sources: no class lost its name', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'leadger-bundles-'));
  const [{ program, url }, sources] = await Promise.all([serve(directory), startServer()]);
  try {
    const [bundled, expected] = await Promise.all([documentOf(url), documentOf(sources.url)]);
    expect(Object.keys(bundled.components.schemas).length).toBeGreaterThan(50);
    expect(bundled).toEqual(expected);
  } finally {
    await program.kill();
    await sources.stop();
    await rm(directory, { recursive: true });
  }
});

/** As the maps of the bundles say: paths of packages, as in the lockfile. */
function bundledPackages(): Set<string> {
  const maps = readdirSync('dist/programs').filter((name) => name.endsWith('.map'));
  const sources = maps.flatMap(
    (name): string[] => JSON.parse(readFileSync(join('dist/programs', name), 'utf8')).sources,
  );
  return new Set(
    sources.flatMap((source) => /node_modules\/(.*node_modules\/)?(@[^/]+\/)?[^/]+/.exec(source)?.[0] ?? []),
  );
}

test('nothing is bundled that only development needs: the production tree has all that runs, for its licences and its list', () => {
  const bundled = bundledPackages();
  const ofLockfile = lockedPackages.filter(({ path }) => bundled.has(path));
  expect(ofLockfile.length).toBeGreaterThan(100);
  expect(ofLockfile.filter(({ dev }) => dev).map(({ path }) => path)).toEqual([]);
});
