import { spawnSync } from 'node:child_process';

/** `npm run test:containers`: real servers in containers. Without a Docker engine all of it is skipped, and this says so. */
const { status } = spawnSync('docker', ['info'], { stdio: 'ignore' });
const there = status === 0;
if (!there) console.log('there is no Docker engine on this machine: the tests on containers are skipped');
const jest = spawnSync(
  'npm',
  ['test', '--', '--testMatch', '**/test/containers/*.containers.ts', '--globalSetup=', '--globalTeardown='],
  { stdio: 'inherit', env: { ...process.env, LEADGER_DOCKER: there ? 'yes' : 'no' } },
);
process.exitCode = jest.status ?? 1;
