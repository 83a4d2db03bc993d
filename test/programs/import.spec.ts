import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode } from '#domain/codec';
import { type StatedFile, statedFiles } from '#test/lead-files';
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

const STATED = [
  'export-meta.csv',
  'export-outlook.csv',
  'columns-kept.csv',
  'columns-mapped.csv',
  'telephones-gb.csv',
  'lines-cr.csv',
  'same-persons.csv',
];
const importStated = ({ path, query }: StatedFile) => {
  const { encoding, map, country, unknownColumns } = query;
  const options = { encoding, map, country, 'unknown-columns': unknownColumns, 'lead-type': 'exclusive-aged' };
  const given = Object.entries(options).flatMap(([name, value]) => (value ? [`--${name}`, value] : []));
  const rejected = ['--rejected', join(folder, 'rejected.csv')];
  return cli('import', 'leads', path, '--source', 'files', '--data', join(folder, 'stated'), ...given, ...rejected);
};
const statedIn = ({ rows, taken, known, rejected, duplicate }: StatedFile) =>
  new RegExp(`^${rows} rows? of .*\\n +${taken} .*\\n +${known} .*\\n +${rejected} .*\\n +${duplicate} `, 'm');

test('files as people have them are imported as it is stated beside them, and how they were read is said', async () => {
  const said: string[] = [];
  for (const file of statedFiles.filter(({ name }) => STATED.includes(name))) {
    const { code, stdout } = await importStated(file);
    expect({ name: file.name, code, stdout }).toEqual({
      name: file.name,
      code: 0,
      stdout: expect.stringMatching(statedIn(file)),
    });
    said.push(...stdout.split('\n').filter((line) => /^(read as|ignored|kept)/.test(line)));
  }
  expect(said).toEqual([
    'kept as extra fields: Shoe size, Shoe size, column 4',
    'ignored columns: Phone, IP',
    'read as UTF-16 with tabs, an export of Meta lead ads',
    expect.stringMatching(/^ignored columns: id, ad_id, ad_name, .*, lead_status$/),
    'read as Latin-1 (Windows-1252) with commas, an export of Outlook contacts',
    expect.stringMatching(/^ignored columns: Title, Middle Name, .*, Notes$/),
  ]);
});

test('an import whose rejected rows cannot be written fails with one line', async () => {
  const { code, stderr } = await importLeads(['nobody,web'], '--rejected', join(folder, 'missing', 'rejected.csv'));
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/^leadger: .*cannot be written.*\n$/) });
});
