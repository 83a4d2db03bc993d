import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode } from '#domain/codec';
import { openForReading } from '#wiring/stores';
import { cli, serve } from './program.ts';

let folder: string;
let data: string;
let file: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'leadger-import-'));
  data = join(folder, 'data');
  file = join(folder, 'leads.csv');
});
afterAll(() => rm(folder, { recursive: true }));

const importLeads = (rows: readonly string[], ...options: string[]) =>
  writeFile(file, ['phone,source', ...rows, ''].join('\n')).then(() =>
    cli('import', 'leads', file, '--lead-type', 'exclusive-aged', '--data', data, ...options),
  );

/** Who brought each lead that the log has. */
async function actors(): Promise<string[]> {
  const { events, close } = await openForReading({ directory: data });
  const found: string[] = [];
  for await (const recorded of events.readAll({ filter: { types: ['LeadReceived'] } }))
    found.push(decode(recorded).cause.actor);
  await close();
  return found;
}

test('a file is imported once, and its rejected rows go to a file beside it', async () => {
  const rows = ['212 555 0101,web', '212 555 0102,web', 'nobody,web'];
  expect(await importLeads(rows)).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/ 2 {2}leads imported\n +0 {2}known before\n +1 {2}rows rejected/),
  });
  expect(await readFile(`${file}.rejected.csv`, 'utf8')).toBe(
    'line,reason,row\n4,"telephone: not a telephone number","nobody,web"\n',
  );
  expect((await importLeads(rows)).stdout).toMatch(/ 0 {2}leads imported\n +2 {2}known before/);
  expect(await actors()).toEqual(['system:import', 'system:import']);
});

test('while the store runs, the leads go to the program that has it open, from the same program', async () => {
  const { program } = await serve(data);
  const { code, stdout, stderr } = await importLeads(['212 555 0101,web', '212 555 0103,web', 'nobody,web']);
  await program.stop();
  expect(stderr).toContain('the leads are sent there');
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: expect.stringMatching(/ 1 {2}leads imported\n +1 {2}known before\n +1 {2}rows rejected/),
  });
  expect(await actors()).toEqual(['system:import', 'system:import', 'system:import']);
});

test('an import whose rejected rows cannot be written fails with one line', async () => {
  const { code, stderr } = await importLeads(['nobody,web'], '--rejected', join(folder, 'missing', 'rejected.csv'));
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/^leadger: .*cannot be written.*\n$/) });
});
