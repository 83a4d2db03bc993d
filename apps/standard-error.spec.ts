import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

const LINES = 40;
const writer = `
  import '#apps/warnings';
  import { standardError } from '#apps/standard-error';
  for (let count = 0; count < ${LINES}; count += 1) console.warn('x'.repeat(100_000));
  console.log(standardError.lost);
`;

test('a reader that stands still holds no program: lines are lost, and counted, and the next ones say how many', async () => {
  const node = ['--conditions=source', '--no-warnings', '--input-type=module', '--eval', writer];
  const child = spawn(process.execPath, node, { stdio: 'pipe' });
  const [said] = await once(child.stdout.setEncoding('utf8'), 'data');
  const lost = Number(said);
  expect(lost).toBeGreaterThan(0);
  const read = await text(child.stderr);
  expect(read.match(/^x+$/gm)).toHaveLength(LINES - lost);
  expect(read).toContain(`leadger: lines that could not be written here, and are lost: ${lost}\n`);
});
