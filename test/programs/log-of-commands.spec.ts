import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitUntil } from '#test/wait-until';
import { Program } from './program.ts';

/* What a command of the CLI did is in the structured log, as what every other program does is. */

const temporary = mkdtempSync(join(tmpdir(), 'leadger-commands-'));
const store = join(temporary, 'store');
const leads = join(temporary, 'leads.csv');
const persons = join(temporary, 'persons.csv');
beforeAll(() => {
  writeFileSync(leads, 'first name,telephone\r\nCanarietta,+1 212 555 0142\r\nCanarius,none\r\n');
  writeFileSync(persons, 'telephone\r\n+1 212 555 0163\r\n');
});
afterAll(() => rmSync(temporary, { recursive: true }));

type Line = Readonly<Record<string, unknown>>;

async function linesOf(parameters: readonly string[], code = 0): Promise<readonly Line[]> {
  const ended = await new Program('cli', [...parameters], { LEADGER_LOG_LEVEL: 'info' }).ended;
  expect([parameters, ended.code, ended.stderr]).toEqual([parameters, code, expect.any(String)]);
  const lines = ended.stderr.split('\n').filter((line) => line.startsWith('{'));
  expect(lines.filter((line) => /canar|5550\d{3}|told by/i.test(line))).toEqual([]);
  return lines.map((line) => JSON.parse(line)).filter(({ kind }) => kind === 'cli');
}

const byReason = ['--reason', 'told by Canarietta'];

test.each<[name: string, parameters: readonly string[], counts: object]>([
  [
    'import leads',
    [leads, '--lead-type', 'exclusive-fresh', '--source', 'page'],
    { received: 1, known: 0, duplicates: 0, rejected: 1 },
  ],
  ['import suppressions', [persons, '--list', 'registry'], { suppressed: 1, known: 0, rejected: 0 }],
  ['suppressions lift', ['--list', 'registry', ...byReason], { lifted: 1, stillSuppressed: 0 }],
  ['renewals release', ['--all', ...byReason], { decided: 0, left: 0 }],
  ['person erase', ['--telephone', '+1 212 555 0142', ...byReason], { customers: 0, leads: 1 }],
  ['rebuild', ['orders'], { models: 1 }],
  ['keys rotate', [], { keys: expect.any(Number) }],
  ['damaged', [], { streams: 0 }],
  ['verify', [], {}],
  [
    'copy',
    ['--from', store, '--to', join(temporary, 'copy')],
    { copied: expect.any(Number), compared: expect.any(Number) },
  ],
])('%s tells when it begins, and how it ended, with its counts', async (name, parameters, counts) => {
  const common = { program: 'cli', kind: 'cli', name, correlationId: expect.any(String) };
  const [begun, ended, ...more] = await linesOf([...name.split(' '), ...parameters, '--data', store]);
  expect(begun).toMatchObject({ level: 30, ...common, outcome: 'begun' });
  expect(ended).toMatchObject({ level: 30, ...common, outcome: 'done', milliseconds: expect.any(Number), ...counts });
  expect([ended?.correlationId, ended?.id, more]).toEqual([begun?.correlationId, begun?.id, []]);
});

test('a command that fails tells why, without what somebody typed; one that found something tells its exit code', async () => {
  const [, failed] = await linesOf(['rebuild', 'canaries', '--data', store], 1);
  expect(failed).toMatchObject({ level: 40, name: 'rebuild', outcome: 'failed', reason: expect.any(String) });
  const report = join(temporary, 'balance.csv');
  writeFileSync(report, 'balance_transaction_id,created_utc,currency,gross,reporting_category,source_id\n');
  const [, found] = await linesOf(['reconcile', report, '--data', store], 1);
  expect(found).toMatchObject({ level: 30, name: 'reconcile', outcome: 'done', exitCode: 1 });
});

test.each(["SELECT 'Canarietta 5550142'::int", 'SELECT * FROM leads WHERE Canarietta'])(
  'a question that PostgreSQL refuses with its own words is not in the log: %s',
  async (question) => {
    const [, failed] = await linesOf(['query', question, '--data', store], 1);
    expect(failed).toMatchObject({ level: 40, name: 'query', outcome: 'failed', reason: 'QueryFailed (query-failed)' });
  },
);

test('a command that a signal ends tells that, too', async () => {
  const program = new Program('cli', ['demo', '--days', '400'], { LEADGER_LOG_LEVEL: 'info' });
  await waitUntil(() => program.stderr.includes('demo: begun'));
  const { code, stderr } = await program.stop();
  expect([code, program.process.signalCode]).toEqual([null, 'SIGTERM']);
  const last = stderr.trimEnd().split('\n').at(-1) as string;
  expect(JSON.parse(last)).toMatchObject({ level: 40, name: 'demo', outcome: 'failed', reason: 'stopped by SIGTERM' });
});

test('without a level a command writes no such lines', async () => {
  const { code, stderr } = await new Program('cli', ['verify', '--data', store]).ended;
  expect([code, stderr]).toEqual([0, '']);
});
