import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { link, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
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
  'times-in-zone.csv',
];
const importStated = ({ path, query }: StatedFile) => {
  const { encoding, map, country, unknownColumns, timeZone } = query;
  const spelled = { 'unknown-columns': unknownColumns, 'time-zone': timeZone, 'lead-type': 'exclusive-aged' };
  const options = { encoding, map, country, ...spelled };
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
    'read as UTF-8 with commas, an export of Meta lead ads',
    'ignored columns: ad_id, form_id',
  ]);
});

test('an import whose rejected rows cannot be written fails with one line, before a lead is taken', async () => {
  const { code, stderr } = await importLeads(['nobody,web'], '--rejected', join(folder, 'missing', 'rejected.csv'));
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/^leadger: .*cannot be written.*\n$/) });
});

describe('a list of persons who are not sold any more', () => {
  const importList = async (lines: readonly string[], ...options: string[]) => {
    const list = join(folder, 'list.csv');
    await writeFile(list, `${lines.join('\n')}\n`);
    const { code, stdout, stderr } = await cli('import', 'suppressions', list, '--data', data, ...options);
    return { code, stdout, stderr, rejected: await readFile(`${list}.rejected.csv`, 'utf8').catch(() => undefined) };
  };
  const lift = (...options: string[]) =>
    cli('suppressions', 'lift', '--data', data, '--reason', 'the wrong file', ...options);
  const LINES = ['Tel;Mobile;Mail;Name', '020 7946 0001;020 7946 0002;ann;Ann', ';;;nobody', '12;;b@example.org;'];
  const OPTIONS = ['--country', 'GB', '--map', 'telephone=Tel,email=Mail', '--list', 'registry'];

  test.each([['in this program'], ['in the program that runs the store']])(
    'is imported, and lifted, %s',
    async (where) => {
      running = where.endsWith('store') ? (await serve(data)).program : undefined;
      const first = await importList(LINES, ...OPTIONS);
      expect(first).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('read as UTF-8 with semicolons\nignored columns: Name\n'),
      });
      expect(first.stdout).toMatch(
        /^3 rows .*\n +2 {2}persons suppressed\n +0 {2}were on the list before\n +1 {2}rows rejected/m,
      );
      expect(first.stdout).toMatch(/ 2 {2}rows not rejected, but not understood as a whole: see /);
      expect(first.rejected).toBe(
        [
          'line,reason,row',
          '2,"suppressed, but not by all: email: Invalid email address","020 7946 0001;020 7946 0002;ann;Ann"',
          '3,"has no telephone number and no e-mail address",";;;nobody"',
          '4,"suppressed, but not by all: telephone: not a telephone number","12;;b@example.org;"',
          '',
        ].join('\n'),
      );
      expect((await importList(LINES, ...OPTIONS)).stdout).toMatch(
        / 0 {2}persons suppressed\n +2 {2}were on the list before/,
      );
      expect((await cli('suppressions', 'lists', '--data', data)).stdout).toMatch(
        /^registry: 3 numbers and addresses; last named one \S+Z\n1 list\n$/,
      );
      const lead = ['phone,source', '+44 20 7946 0002,web'];
      expect((await importLeads(lead.slice(1))).stdout).toMatch(/ 1 {2}rows rejected/);
      expect((await lift('--list', 'registry')).stdout).toBe(
        'lifted: 3 numbers and addresses; of these still suppressed by others: 0\n',
      );
      expect((await lift('--telephone', '+44 20 7946 0002')).stdout).toContain('lifted: 0 ');
    },
  );
  let running: Awaited<ReturnType<typeof serve>>['program'] | undefined;
  afterEach(async () => {
    await running?.stop();
    running = undefined;
  });

  test('may have no header, and it is said that it was read so', async () => {
    const { code, stdout } = await importList(['+1 212 555 0181', 'c@example.org'], '--list', 'numbers');
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(
        /^read without a header: each line is one .*\n2 rows .*\n +2 {2}persons suppressed/m,
      ),
    });
  });

  test('is refused as a whole, with one line, before the store is opened', async () => {
    for (const [options, said] of [
      [['--list', 'a b'], '--list must be an id'],
      [['--map', 'firstName=Tel'], 'there is no field firstName'],
      [['--country', 'XX'], 'there is no country XX'],
    ] as const)
      expect(await importList(LINES, ...options)).toMatchObject({ code: 1, stderr: expect.stringContaining(said) });
    expect(await lift()).toMatchObject({ code: 1, stderr: expect.stringContaining('say what to lift') });
  });
});

describe('the file for rejected rows', () => {
  test.each([
    ['its own name', async () => file],
    ['a symbolic link', (path: string) => symlink(file, path).then(() => path)],
    ['a hard link', (path: string) => link(file, path).then(() => path)],
  ])('is never the list itself, by %s', async (name, made) => {
    const path = await made(join(folder, name.replaceAll(' ', '-')));
    const { code, stderr } = await importLeads(['nobody,web'], '--rejected', path);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('is the list itself') });
    expect(await readFile(file, 'utf8')).toBe('phone,source\nnobody,web\n');
  });

  test('replaces a link, and not what it points to', async () => {
    const [precious, path] = [join(folder, 'precious.txt'), join(folder, 'rejected-link.csv')];
    await writeFile(precious, 'precious');
    await symlink(precious, path);
    expect(await importLeads(['nobody,web'], '--rejected', path)).toMatchObject({ code: 0 });
    expect(await readFile(precious, 'utf8')).toBe('precious');
    expect(await readFile(path, 'utf8')).toContain('"nobody,web"');
  });

  test('of an earlier run is removed when nothing is rejected; what else has its name stays', async () => {
    const rejected = `${file}.rejected.csv`;
    await importLeads(['nobody,web']);
    expect(await readFile(rejected, 'utf8')).toContain('nobody');
    await importLeads(['212 555 0101,web']);
    await expect(readFile(rejected, 'utf8')).rejects.toThrow('ENOENT');
    await writeFile(rejected, 'notes of mine\n');
    await importLeads(['212 555 0101,web']);
    expect(await readFile(rejected, 'utf8')).toBe('notes of mine\n');
  });

  test.each([
    ['a file that is open as standard input', '< "$1"', '/dev/stdin'],
    ['a file that is open as another descriptor', '3< "$1"', '/dev/fd/3'],
    ['a pipe', '', '/dev/stdin'],
  ])('is asked for where the list is %s', async (_, redirection, list) => {
    await writeFile(file, 'phone,source\nnobody,web\n');
    for (const kind of ['leads --lead-type exclusive-aged', 'suppressions']) {
      const words = `"$0" dist/programs/cli.js import ${kind} "$2" --format csv --data "$3"`;
      const command = redirection === '' ? `cat "$1" | ${words}` : `${words} ${redirection}`;
      const { status, stderr } = spawnSync('sh', ['-c', command, process.execPath, file, list, data], {
        encoding: 'utf8',
      });
      expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining('say with --rejected FILE') });
      expect(existsSync(`${list}.rejected.csv`)).toBe(false);
    }
  });

  test('may be /dev/null, which stays what it is', async () => {
    expect(await importLeads(['nobody,web'], '--rejected', '/dev/null')).toMatchObject({ code: 0 });
    expect((await stat('/dev/null')).isCharacterDevice()).toBe(true);
  });
});

test('text that is not UTF-8 is refused', async () => {
  const { code, stdout } = await new Promise<{ code: number | null; stdout: string }>((resolve) => {
    const line = `exec "$0" dist/programs/cli.js import leads x.csv --source "$(printf '\\377')" 2>&1`;
    const child = spawn('sh', ['-c', line, process.execPath]);
    let stdout = '';
    child.stdout.on('data', (piece) => {
      stdout += piece;
    });
    child.on('close', (code) => resolve({ code, stdout }));
  });
  expect({ code, stdout }).toEqual({ code: 1, stdout: 'leadger: "\ufffd" is not UTF-8\n' });
});
