import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, symlinkSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDataDirectory } from './data-directory.ts';
import { makeTemporaryDirectory, removeLeftovers } from './temporary-directory.ts';

const program = `
  import { makeTemporaryDirectory } from '#event-store/temporary-directory';
  console.log(makeTemporaryDirectory('clock').path);
  setInterval(() => {}, 1000);
`;

/** Another program with a temporary directory. */
async function startProgram() {
  const node = ['--conditions=source', '--no-warnings', '--input-type=module', '--eval', program];
  const child = spawn(process.execPath, node, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(child.stdout, 'data');
  return {
    path: String(line).trim(),
    async kill() {
      child.kill('SIGKILL');
      await once(child, 'close');
    },
  };
}

describe('the temporary directories of programs', () => {
  it('are removed by the next program when their own was killed, and not while it runs', async () => {
    const { path, kill } = await startProgram();
    await writeFile(join(path, 'keys.sqlite'), 'a key');
    removeLeftovers();
    expect(existsSync(join(path, 'keys.sqlite'))).toBe(true);
    await kill();
    removeLeftovers();
    expect(existsSync(path)).toBe(false);
  });

  it('of this program stay until it removes them', () => {
    const directory = makeTemporaryDirectory('keys');
    removeLeftovers();
    expect(existsSync(directory.path)).toBe(true);
    directory.remove();
    expect(existsSync(directory.path)).toBe(false);
  });

  it('are not stores of somebody that have such a name', async () => {
    const path = mkdtempSync(join(tmpdir(), 'leadger-clock-'));
    openDataDirectory(path).close();
    removeLeftovers();
    expect(existsSync(path)).toBe(true);
    await rm(path, { recursive: true });
  });

  it('are nothing else: other names, links, and what has no mark stays', async () => {
    const other = await mkdtemp(join(tmpdir(), 'leadger-other-'));
    const marked = join(other, 'copy');
    await mkdir(marked);
    for (const name of ['owned', 'owner.sqlite']) await writeFile(join(marked, name), '');
    const link = join(tmpdir(), `leadger-clock-${other.slice(-6)}`);
    symlinkSync(marked, link);
    const beginning = await mkdtemp(join(tmpdir(), 'leadger-keys-'));
    try {
      removeLeftovers();
      expect([other, marked, link, beginning].map((path) => existsSync(path))).toEqual([true, true, true, true]);
    } finally {
      for (const path of [link, other, beginning]) await rm(path, { recursive: true });
    }
  });
});
