import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { halfCopyIn, markHalfCopy } from '#event-store/data-directory';
import type { EventStore } from '#event-store/port';
import { CommandHandler } from '#requests/command-handler';
import { beginRewriting } from '#requests/log-origin';
import { startEventStoreDb, type TestEventStoreDb } from '#test/event-stores/event-stores';
import { describeWithPostgres, freshDatabase } from '#test/postgres/database';
import { openEvents, openStores } from '#wiring/stores';
import { onServers } from './on-servers.ts';
import { cli, Program } from './program.ts';

const temporary = mkdtempSync(join(tmpdir(), 'leadger-half-copy-'));
/** A store whose log says that its copying has begun, and not that it has ended. */
const half = join(temporary, 'half');
const whole = join(temporary, 'whole');
const none = join(temporary, 'none');
const leads = join(temporary, 'leads.csv');
const balance = join(temporary, 'balance.csv');
const password = join(temporary, 'password');
beforeAll(async () => {
  writeFileSync(password, 'correct horse battery\n', { mode: 0o600 });
  writeFileSync(leads, 'telephone,leadTypeId,source\n+12125550143,exclusive-fresh,fair\n');
  writeFileSync(balance, 'balance_transaction_id,created_utc,currency,gross,reporting_category,source_id\n');
  for (const directory of [half, whole]) await (await openStores({ directory })).close();
  const events = await openEvents({ directory: half });
  await begin(events);
  await events.close();
});
afterAll(() => rmSync(temporary, { recursive: true }));

const begin = (events: EventStore) =>
  beginRewriting(new CommandHandler(events), 'the-original', '2026-05-01T10:00:00.000Z');

const filesOf = (directory: string) =>
  Object.fromEntries(
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !/-(wal|shm)$/.test(entry.name))
      .map(({ parentPath, name }) => join(parentPath, name))
      .map((file) => [file, readFileSync(file, 'base64')]),
  );

/** All that opens a log. What is not here has no log: `catalog`, and `help`. */
const onDirectory = {
  'import leads': ['import', 'leads', leads, '--data', half],
  'admin create': ['admin', 'create', '--email', 'ada@example.com', '--password-file', password, '--data', half],
  'admin reset-factor': ['admin', 'reset-factor', '--email', 'ada@example.com', '--data', half],
  'admin end-sessions': ['admin', 'end-sessions', '--email', 'ada@example.com', '--reason', 'asked', '--data', half],
  'person export': ['person', 'export', '--lead', 'l1', '--reason', 'asked', '--data', half],
  'person erase': ['person', 'erase', '--lead', 'l1', '--reason', 'asked', '--data', half],
  timeline: ['timeline', 'policy', 'main', '--data', half],
  decisions: ['decisions', '1', '--data', half],
  verify: ['verify', '--data', half],
  reconcile: ['reconcile', balance, '--data', half],
  damaged: ['damaged', '--data', half],
  clock: ['clock', '--days', '1', '--data', half],
  rebuild: ['rebuild', '--all', '--data', half],
  digest: ['digest', '--data', half],
  'export of the log': ['export', '--data', half],
  'export of a view': ['export', 'fill_rate', '--data', half],
  query: ['query', 'SELECT 1', '--data', half],
  sql: ['sql', '--port', '0', '--data', half],
  'serve-events': ['serve-events', '--port', '0', '--data', half],
  'serve-events --writable': ['serve-events', '--port', '0', '--writable', '--data', half],
  'copy of it': ['copy', '--from', half, '--to', none],
  'copy --seal of it': ['copy', '--seal', '--from', half, '--to', none],
  'copy into it': ['copy', '--from', whole, '--to', half],
  'keys rotate': ['keys', 'rotate', '--data', half],
  'coupon uses': ['coupon', 'uses', 'MAY', '--data', half],
  'renewals list': ['renewals', 'list', '--data', half],
  'renewals release': ['renewals', 'release', '--all', '--reason', 'asked', '--data', half],
  'suppressions lists': ['suppressions', 'lists', '--data', half],
  'suppressions lift': ['suppressions', 'lift', '--list', 'registry', '--reason', 'asked', '--data', half],
  'demo --continue': ['demo', '--continue', '--days', '1', '--data', half],
} as const;

const says =
  /^(leadger: the copy is in [^\n]* until this command ends\n)?leadger: this log is a half copy of log the-original: start that copy again to complete it\n$/;

describe('a half copy of `leadger copy --seal`', () => {
  test.each(Object.entries(onDirectory))(
    'is refused by %s, in one line, and nothing is changed',
    async (_, parameters) => {
      const before = filesOf(half);
      const program = new Program('cli', parameters);
      const end = await Promise.race([program.ended, program.says(/served at|psql/).then(() => program.stop())]);
      expect(end).toEqual({ code: 1, stdout: '', stderr: expect.stringMatching(says) });
      expect(filesOf(half)).toEqual(before);
      expect(existsSync(none)).toBe(false);
    },
  );

  test('is refused by the store on one machine', async () => {
    const program = new Program('standalone', ['--data', half, '--port', '0']);
    expect(await program.ended).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(says) });
  });

  test('every command of the CLI stands in this list, or opens no log', async () => {
    const { stdout } = await cli('--help');
    const commands = [...stdout.slice(stdout.indexOf('Commands:')).matchAll(/^ {2}([a-z-]+)/gm)].map(
      ([, name]) => name,
    );
    const refusing = new Set<string>(Object.values(onDirectory).map(([command]) => command));
    expect(commands.filter((command) => !refusing.has(command as string))).toEqual(['check-config', 'catalog', 'help']);
  });
});

describe('a half copy of `leadger copy`', () => {
  const copied = join(temporary, 'copied');
  const original = ['copy', '--from', whole, '--to', copied];
  beforeAll(async () => {
    expect(await new Program('cli', original).ended).toMatchObject({ code: 0 });
  });

  test('is refused by every program until the same copy has completed it', async () => {
    markHalfCopy(copied, 'the-original');
    const before = filesOf(copied);
    const refused = { code: 1, stdout: '', stderr: expect.stringMatching(says) };
    for (const [program, ...parameters] of [
      ['standalone', '--data', copied, '--port', '0'],
      ['cli', 'verify', '--data', copied],
      ['cli', 'export', '--data', copied],
      ['cli', 'keys', 'rotate', '--data', copied],
      ['cli', 'copy', '--from', copied, '--to', none],
    ] as const)
      expect(await new Program(program, parameters).ended).toEqual(refused);
    expect(filesOf(copied)).toEqual(before);
    expect(existsSync(none)).toBe(false);
    expect(await new Program('cli', original).ended).toMatchObject({ code: 0 });
    expect(halfCopyIn(copied)).toBeUndefined();
  });

  test('is marked before its first event, so it is refused after a kill', async () => {
    const many = join(temporary, 'many');
    const interrupted = join(temporary, 'interrupted');
    expect((await cli('demo', '--data', many, '--days', '2')).code).toBe(0);
    const copying = new Program('cli', ['copy', '--from', many, '--to', interrupted]);
    while (!existsSync(join(interrupted, 'events'))) await setTimeout(1);
    while (halfCopyIn(interrupted) === undefined && copying.process.exitCode === null) await setTimeout(1);
    copying.process.kill('SIGKILL');
    await copying.ended;
    const { stderr } = await new Program('cli', ['verify', '--data', interrupted]).ended;
    expect(stderr).toContain('is a half copy of log');
  });
});

describeWithPostgres('a half copy on a server', () => {
  let events: TestEventStoreDb;
  let database: Awaited<ReturnType<typeof freshDatabase>>;
  beforeAll(async () => {
    [events, database] = [await startEventStoreDb(), await freshDatabase()];
    await begin(events.log);
  });
  afterAll(async () => {
    await events.close();
    await database.drop();
  });

  const programs = {
    api: ['api', '--port', '0'],
    worker: ['worker', '--port', '0'],
    'the store on one machine': ['standalone', '--port', '0'],
    'keys rotate': ['cli', 'keys', 'rotate'],
    verify: ['cli', 'verify'],
  } as const;
  test.each(Object.entries(programs))('is refused by %s', async (_, [program, ...parameters]) => {
    const { code, stderr } = await new Program(program, parameters, {
      ...onServers(events.connectionString, database.url),
      LEADGER_MASTER_KEY_NEXT: '08'.repeat(32),
    }).ended;
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(says) });
  });
});
