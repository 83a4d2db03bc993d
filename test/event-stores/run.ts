import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isServerGiven, startGivenServer } from './given-server.ts';

/**
 * `npm run test:server`: the suites on a real EventStoreDB. One that is named in `EVENTSTORE_URL` runs those that need no
 * empty log; the command in `LEADGER_TEST_SERVER` runs all. What has no server counts as skipped.
 */

/** They have streams and ids of their own, in a log that others use. */
const inASharedLog = ['libs/event-store/contract', 'libs/event-store/whole-streams', 'test/server-answers'];
/** The tests whose events are on an EventStoreDB, each with an empty one. */
const inAnEmptyLog = ['test/acceptance', 'test/e2e'];
const programs = [
  'copy-sealed',
  'demo-on-a-server',
  'event-store-of-a-program',
  'half-copy',
  'hanging-mail-server',
  'no-passwords',
  'postgres-outages',
  'refused-commands',
  'workers',
].map((name) => `test/programs/${name}`);

const given = process.argv.slice(2);
/** `npm run test:server -- PATH` runs those of them that are in it, or that it is in. */
const chosen = (paths: readonly string[]) =>
  given.length === 0
    ? paths
    : paths.flatMap((one) =>
        given.flatMap((path) => (path.startsWith(one) ? [path] : one.startsWith(path) ? [one] : [])),
      );

/** A pattern that no title matches: Jest counts all as skipped. */
const SKIPPED = ['--testNamePattern', '^$'];

function run(paths: readonly string[], isSkipped: boolean, environment: Readonly<Record<string, string>> = {}): number {
  if (chosen(paths).length === 0) return 0;
  const env = { ...process.env, ...environment };
  const parameters = ['test', '--', ...chosen(paths), ...(isSkipped ? SKIPPED : [])];
  return spawnSync('npm', parameters, { stdio: 'inherit', env }).status ?? 1;
}

async function runInASharedLog(): Promise<number> {
  const named = process.env.EVENTSTORE_URL;
  if (named !== undefined || !isServerGiven) return run(inASharedLog, named === undefined);
  const directory = mkdtempSync(join(tmpdir(), 'leadger-given-server-'));
  const { connectionString, close } = await startGivenServer(directory);
  const status = run(inASharedLog, false, { EVENTSTORE_URL: connectionString });
  await close();
  rmSync(directory, { recursive: true });
  return status;
}

const statuses = [
  await runInASharedLog(),
  run(inAnEmptyLog, !isServerGiven),
  // Programs are built once, and few of them run at a time.
  run(programs, !isServerGiven),
];
process.exitCode = Math.max(...statuses);
