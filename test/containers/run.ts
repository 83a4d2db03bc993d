import { spawnSync } from 'node:child_process';

/** `npm run test:containers`: tests on real servers in containers. Without a Docker engine they are skipped with a message. */
const { status } = spawnSync('docker', ['info'], { stdio: 'ignore' });
const there = status === 0;
if (!there) console.log('no Docker engine on this machine: the container tests are skipped');
const jest = spawnSync(
  'npm',
  ['test', '--', '--testMatch', '**/test/containers/*.containers.ts', '--globalSetup=', '--globalTeardown='],
  { stdio: 'inherit', env: { ...process.env, LEADGER_DOCKER: there ? 'yes' : 'no' } },
);
process.exitCode = jest.status ?? 1;
