import { spawnSync } from 'node:child_process';

/** `npm run test:outages`: whole programs while their event store is away. */
const jest = spawnSync(
  'npm',
  ['test', '--', '--testMatch', '**/test/outages/*.outages.ts', '--runInBand', ...process.argv.slice(2)],
  { stdio: 'inherit' },
);
process.exitCode = jest.status ?? 1;
