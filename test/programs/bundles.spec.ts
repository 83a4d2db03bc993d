import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServer } from '#test/e2e/server';
import { serve } from './program.ts';

test('the bundled program describes the same API as its sources: no class lost its name', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'leadger-bundles-'));
  const [{ program, url }, sources] = await Promise.all([serve(directory), startServer()]);
  try {
    const [bundled, expected] = await Promise.all(
      [url, sources.url].map(async (server) => (await fetch(`${server}/api/openapi.json`)).json()),
    );
    expect(Object.keys(bundled.components.schemas).length).toBeGreaterThan(50);
    expect(bundled).toEqual(expected);
  } finally {
    await program.kill();
    await sources.stop();
    await rm(directory, { recursive: true });
  }
});
