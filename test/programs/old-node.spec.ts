import { spawnSync } from 'node:child_process';
import { complaintAboutNode } from '#apps/node-version';
// Builds the programs.
import './program.ts';

/** A Node.js that this machine may have beside the one that runs the tests. */
const old = spawnSync('/usr/bin/node', ['--version'], { encoding: 'utf8' }).stdout ?? '';
const testWithOldNode = complaintAboutNode(old.replace('v', '')) && old !== '' ? it.each : it.skip.each;
testWithOldNode(['standalone', 'api', 'worker', 'cli'])('an old Node.js ends %s with that line alone', (program) => {
  const { status, stdout, stderr } = spawnSync('/usr/bin/node', [`dist/programs/${program}.js`, '--help'], {
    encoding: 'utf8',
  });
  expect({ status, stdout, stderr }).toEqual({
    status: 1,
    stdout: '',
    stderr: `${complaintAboutNode(old.trim().slice(1))}\n`,
  });
});
