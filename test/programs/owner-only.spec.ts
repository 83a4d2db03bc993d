import { execSync } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitUntil } from '#test/wait-until';
import { cli, Program, serve } from './program.ts';

/** Programs are started by a user whose files everybody may read and write. */
const GENEROUS = 0;

let temporary: string;
let data: string;
let umask: number;
beforeAll(async () => {
  umask = process.umask(GENEROUS);
  temporary = await mkdtemp(join(tmpdir(), 'leadger-owner-'));
  data = join(temporary, 'data');
});
afterAll(async () => {
  process.umask(umask);
  await rm(temporary, { recursive: true });
});

const everythingIn = (directory: string): string[] => [
  directory,
  ...readdirSync(directory, { recursive: true }).map((name) => join(directory, `${name}`)),
];
const modeOf = (place: string) => (statSync(place, { throwIfNoEntry: false })?.mode ?? 0) & 0o777;
/** PGlite sets the modes of its files itself, in a folder that is closed. */
const isInPglite = (place: string): boolean => /\bpglite\b./.test(place);
const openToOthers = (directory: string): string[] =>
  everythingIn(directory).filter((place) => !isInPglite(place) && modeOf(place) & 0o077);

const post = (url: string, body: object) =>
  fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

async function sendAMail(url: string): Promise<void> {
  const email = 'ada@example.org';
  const customer = { storeId: 'main', businessAssociation: 'ABC Vitamins', timeZone: 'America/New_York', email };
  const { customerId } = (await (await post(`${url}/api/customers`, customer)).json()) as { customerId: string };
  const order = { customerId, leadTypeId: 'exclusive-fresh', quantity: 1, paymentToken: 'tok_ok' };
  expect((await post(`${url}/api/orders`, order)).status).toBe(201);
  const mails = join(data, 'mails');
  await waitUntil(
    () => readdirSync(data).includes('mails') && readdirSync(mails).some((name) => name.endsWith('.eml')),
  );
}

// Windows has no modes.
(process.platform === 'win32' ? describe.skip : describe)('only its owner can open', () => {
  test('anything that a store writes while it runs: log, keys, rows, mails', async () => {
    const { program, url } = await serve(data);
    await sendAMail(url);
    expect(openToOthers(data)).toEqual([]);
    expect(await program.stop()).toMatchObject({ code: 0, stderr: '' });
    expect(openToOthers(data)).toEqual([]);
    // The log of PGlite holds rows, and its first file is a copy of the template's.
    const log = everythingIn(join(data, 'read-models', 'pglite', 'pg_wal'));
    expect(log.filter((place) => modeOf(place) & 0o077)).toEqual([]);
    expect(readdirSync(data)).toEqual(expect.arrayContaining(['events', 'keys', 'mails', 'read-models']));
  });

  test('the read models of analysts, and the copy that sql opens', async () => {
    const copies = join(temporary, 'copies');
    await mkdir(copies);
    const sql = new Program('cli', ['sql', '--data', data, '--port', '0'], { TMPDIR: copies });
    await sql.says(/psql/);
    expect(readdirSync(copies).map((copy) => modeOf(join(copies, copy)))).toEqual([0o700]);
    expect(openToOthers(join(data, 'analysts'))).toEqual([]);
    expect(await sql.stop()).toMatchObject({ code: 0, stderr: '' });
  });

  test('the copy whose clock is moved', async () => {
    const copies = join(temporary, 'clocks');
    await mkdir(copies);
    const seen = new Set<string>();
    const clock = new Program('cli', ['clock', '--days', '3', '--data', data], { TMPDIR: copies });
    const ended = clock.ended.then(() => true);
    while (!(await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 5, false))])))
      for (const copy of readdirSync(copies))
        for (const place of everythingIfThere(join(copies, copy)))
          if (!isInPglite(place)) seen.add(modeOf(place).toString(8));
    expect(await clock.ended).toMatchObject({ code: 0 });
    expect([...seen].filter((mode) => mode !== '0').sort()).toEqual(['600', '700']);
  });

  test('exports and rejected rows, also where an older file of that name was open to others', async () => {
    const [log, leads, view] = ['log.ndjson', 'leads.csv', 'view.csv'].map((name) => join(temporary, name)) as [
      string,
      string,
      string,
    ];
    const rejected = `${leads}.rejected.csv`;
    writeFileSync(leads, 'phone,source\nnobody,web\n');
    for (const file of [log, rejected]) writeFileSync(file, 'older');
    const ended = [
      await cli('export', '--opened', '--output', log, '--data', data),
      await cli('export', 'fill_rate', '--format', 'csv', '--output', view, '--data', data),
      await cli('import', 'leads', leads, '--lead-type', 'exclusive-aged', '--data', data),
    ];
    expect(ended.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(readFileSync(rejected, 'utf8')).toMatch(/^line,reason,row\n2,.*nobody/);
    expect([log, view, rejected].map(modeOf)).toEqual([0o600, 0o600, 0o600]);
  });

  test('a store of an older version, from its first start on, which says so once', async () => {
    for (const place of everythingIn(data)) chmodSync(place, statSync(place).isDirectory() ? 0o755 : 0o644);
    writeFileSync(join(data, 'format.json'), '{"format":1}\n');
    expect(await cli('verify', '--data', data)).toMatchObject({ code: 0, stderr: '' });
    const { program } = await serve(data);
    const { stderr } = await program.stop();
    expect(stderr).toBe(`leadger: other users could open files in ${data}: from now on only their owner can\n`);
    expect(openToOthers(data)).toEqual([]);
    const again = await serve(data);
    expect(await again.program.stop()).toMatchObject({ code: 0, stderr: '' });
  });

  test('keys that were opened to others later: the store is refused, until the command in the message was run', async () => {
    const key = join(data, 'keys', 'master.key');
    chmodSync(key, 0o644);
    const message = `leadger: other users can open ${key} (mode 644): its owner can stop that with: chmod -R go-rwx ${data}\n`;
    const ended = await Promise.all([
      new Program('standalone', ['--data', data, '--port', '0']).ended,
      cli('verify', '--data', data),
      cli('query', 'SELECT 1', '--data', data),
      cli('copy', '--from', data, '--to', join(temporary, 'copied')),
    ]);
    const refused = { code: 1, stdout: '', stderr: message };
    expect(ended).toEqual([refused, refused, refused, refused]);
    execSync(/chmod .*/.exec(message)?.[0] as string);
    const { program } = await serve(data);
    expect(await program.stop()).toMatchObject({ code: 0, stderr: '' });
  });
});

/** A program removes files while we look. */
function everythingIfThere(directory: string): string[] {
  try {
    return everythingIn(directory);
  } catch {
    return [];
  }
}
