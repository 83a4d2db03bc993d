import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEventStoreDb, type TestEventStoreDb } from '#test/event-stores/event-stores';
import { describeWithPostgres, freshDatabase } from '#test/postgres/database';
import { addressOf, onServers } from './on-servers.ts';
import { Program } from './program.ts';

/** In both connection strings, and in every place where one can have a password. */
const MARK = 'geheim-5e1f';

const withMark = (url: string): string => {
  const marked = new URL(url);
  marked.username ||= 'someone';
  marked.password = MARK;
  return marked.href;
};

describeWithPostgres('with passwords in both connection strings', () => {
  let directory: string;
  let events: TestEventStoreDb;
  let database: Awaited<ReturnType<typeof freshDatabase>>;
  let environment: Record<string, string>;
  const printed: string[] = [];
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'leadger-passwords-'));
    events = await startEventStoreDb();
    database = await freshDatabase();
    environment = {
      ...onServers(withMark(events.connectionString), withMark(database.url)),
      LEADGER_LOG_LEVEL: 'trace',
    };
  });
  afterAll(async () => {
    await events.close();
    await database.drop();
    rmSync(directory, { recursive: true });
  });
  const noneIn = (text: string) => {
    printed.push(text);
    expect(text).not.toContain(MARK);
  };
  const run = async (name: ConstructorParameters<typeof Program>[0], parameters: string[], more = {}) => {
    const { code, stdout, stderr } = await new Program(name, parameters, { ...environment, ...more }).ended;
    noneIn(stdout + stderr);
    return { code, text: stdout + stderr };
  };

  test.each(['api', 'worker', 'standalone'] as const)('%s prints, logs and answers none', async (name) => {
    const data = name === 'standalone' ? ['--data', directory] : [];
    const program = new Program(name, ['--port', '0', ...data], environment);
    const url = await addressOf(program);
    for (const path of [
      '/health',
      '/health/ready',
      '/health/live',
      '/metrics',
      '/api/processes/parked',
      '/api/read-models',
    ])
      noneIn(await (await fetch(url + path)).text());
    const { stdout, stderr } = await program.stop();
    noneIn(stdout + stderr);
  });

  test.each([
    ['--help'],
    ['copy', '--help'],
    ['import', 'leads', '--help'],
    ['verify'],
    ['digest'],
    ['query', 'SELECT count(*) FROM orders'],
    ['query', 'SELECT nonsense'],
    ['export'],
    ['rebuild', 'orders'],
    ['timeline', 'policy', 'main'],
    ['clock', '--days', '1'],
    ['sql', '--port', '0'],
    ['keys', 'rotate'],
    ['person', 'export', '--email', 'nobody@example.com', '--reason', 'none'],
    ['catalog'],
  ])('leadger %s %s prints none', async (...parameters) => {
    await run(
      'cli',
      parameters.filter((one) => one !== undefined),
    );
  });

  test('copy prints where the log is copied to, without its password', async () => {
    const target = await startEventStoreDb();
    const from = join(directory, 'original');
    await new Program('cli', ['--data', from, 'demo', '--days', '1']).ended;
    const { text } = await run('cli', ['copy', '--from', from, '--to', withMark(target.connectionString)]);
    expect(text).toMatch(`from ${from} to esdb://***@`);
    await run('cli', ['copy', '--from', withMark(target.connectionString), '--to', withMark(target.connectionString)]);
    await target.close();
  });

  const malformed = [`nonsense://leadger:${MARK}@somewhere`, `postgres//a:${MARK}@b`, `postgres://a:${MARK}/#@b:1/c`];
  test.each(malformed)('a malformed address (%#) is not printed', async (address) => {
    expect(await run('worker', [], { DATABASE_URL: address })).toMatchObject({ code: 1 });
  });

  test('nor is a mistyped option', async () => {
    await run('cli', ['verify', `--databse=postgres://a:${MARK}@b/c`]);
    await run('worker', [`--databse=postgres://a:${MARK}@b/c`]);
    await run('worker', [`postgres://a:${MARK}@b/c`]);
  });

  test('nor that of the events', async () => {
    await run('cli', ['verify'], { LEADGER_EVENTS: `esdb//a:${MARK}@b` });
  });

  test('and something was printed in each case', () => {
    expect(printed.filter((text) => text === '')).toEqual([]);
  });
});
