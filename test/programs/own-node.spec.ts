import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { lockedPackages } from '../../tools/lockfile.ts';
// Builds the programs.
import './program.ts';

/** What `npm ci` has installed here: none where no package has a Node.js for the machine. */
const installed = lockedPackages.find(({ bin, path }) => bin?.node && existsSync(path));

/** npm puts its own folders in front of the PATH of a script. */
const pathOfMachine = (process.env.PATH ?? '')
  .split(delimiter)
  .filter((folder) => !/node_modules|node-gyp-bin/.test(folder));
const nodeOfMachine = pathOfMachine.map((folder) => join(folder, 'node')).find(existsSync);
const versionOfMachine = nodeOfMachine && spawnSync(nodeOfMachine, ['--version'], { encoding: 'utf8' }).stdout.trim();

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'leadger-own-node-'));
  // Whoever starts the Node.js of the machine by its name gets this.
  writeFileSync(join(directory, 'node'), '#!/bin/sh\necho "the Node.js of the machine was started" >&2\nexit 1\n', {
    mode: 0o700,
  });
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** As from a terminal: without what the npm that runs this test has set. */
const environment = () => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm_|NODE)/i.test(name))),
  PATH: [directory, ...pathOfMachine].join(delimiter),
});

const onLinux = installed && nodeOfMachine && process.platform === 'linux' ? test : test.skip;
onLinux(
  `npm start runs on the Node.js of the lockfile, where npm runs on that of the machine (${versionOfMachine})`,
  async () => {
    const npm = process.env.npm_execpath as string;
    const parameters = [npm, 'start', '--', '--data', join(directory, 'data'), '--port', '0'];
    // A group of its own: npm does not pass signals on.
    const store = spawn(nodeOfMachine as string, parameters, { env: environment(), detached: true });
    const ended = once(store, 'close');
    try {
      const url = await readyAt(store);
      const metrics = await (await fetch(`${url}/metrics`)).text();
      expect(metrics).toContain(`nodejs_version_info{version="v${installed?.version}"`);
    } finally {
      process.kill(-(store.pid as number), 'SIGTERM');
      await ended;
    }
  },
);

/** @throws with all that was said when the program ends before it is ready */
async function readyAt({ stdout, stderr }: ReturnType<typeof spawn>): Promise<string> {
  let said = '';
  stderr?.on('data', (text) => {
    said += text;
  });
  for await (const text of stdout ?? []) {
    said += text;
    const [, url] = /ready: (\S+)/.exec(said) ?? [];
    if (url) return url;
  }
  throw new Error(said);
}
