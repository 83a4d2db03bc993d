import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { checkConfig } from './check-config.ts';
import { findingsOf } from './configuration-findings.ts';

const key = '9f27c04b6e1d83a5f0582be47196dc3a7d40e9b1c865f23a0e7b94d1568cfa32';
const servers = {
  LEADGER_EVENTS: 'esdb://ledger:secret@events.example:2113?tls=true',
  DATABASE_URL: 'postgres://ledger:secret@db.example/leadger?sslmode=verify-full',
  LEADGER_MASTER_KEY: key,
  SMTP_URL: 'smtps://user:k7Qv2nXw9LrTz4@mail.example',
  STRIPE_SECRET_KEY: 'rk_live_k7Qv2nXw9LrTz4mB',
};
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'leadger-check-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const told = async (program: 'standalone' | 'api' | 'worker' | 'cli', env: NodeJS.ProcessEnv) =>
  (await findingsOf({ program, env })).map(({ kind, name, says }) => `${kind} ${name}: ${says}`);

it('a worker with all that it needs, and nothing unsafe, has nothing to be told', async () => {
  expect(await told('worker', servers)).toEqual([]);
});

it('programs of many machines do not start without their servers, their master key and, to send mails, a mail server', async () => {
  const missing = async (program: 'api' | 'worker') =>
    (await findingsOf({ program, env: {} })).filter(({ kind }) => kind === 'missing').map(({ name }) => name);
  expect(await missing('api')).toEqual(['LEADGER_EVENTS', 'DATABASE_URL', 'LEADGER_MASTER_KEY']);
  expect(await missing('worker')).toEqual(['LEADGER_EVENTS', 'DATABASE_URL', 'LEADGER_MASTER_KEY', 'SMTP_URL']);
});

it('keys in a database need the master key', async () => {
  const { LEADGER_MASTER_KEY: _, ...others } = servers;
  expect(await told('standalone', others)).toContain('missing LEADGER_MASTER_KEY: keys in a database need it');
});

it('all that is wrong is told at once, and no secret with it', async () => {
  const env = {
    LEADGER_EVENTS: 'esdb://ledger:secret@events.example:99999',
    DATABASE_URL: 'mysql://ledger:secret@db.example',
    LEADGER_MASTER_KEY: 'secret',
    SMTP_URL: 'https://user:secret@mail.example',
    HOST: '',
    PORT: 'http',
    LEADGER_LEASE_SECONDS: '0',
    STRIPE_SECRET_KEY: 'pk_secret',
  };
  const findings = await findingsOf({ program: 'worker', env });
  const wrong = findings.filter(({ kind }) => kind === 'wrong');
  expect(wrong.map(({ name }) => name).sort()).toEqual(Object.keys(env).sort());
  expect(findings.filter(({ name, kind }) => name in env && kind !== 'wrong')).toEqual([]);
  expect(JSON.stringify(findings)).not.toContain('secret@');
  expect(JSON.stringify(findings)).not.toContain('pk_secret');
});

it.each([
  ['LEADGER_EVENTS', 'esdb://ledger:secret@events.example:0'],
  ['DATABASE_URL', 'postgres://u:secret@db.example:0/l'],
  ['DATABASE_URL', 'postgres://u:secret@db.example/l?port=65536'],
  ['SMTP_URL', 'smtp://mail.example:0'],
  ['SUPPORT_IMAP_URL', 'imaps://u:secret@mail.example:0'],
  ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'https://collector.example:0/v1/traces'],
])('%s with a port that there is not is wrong: %s', async (name, written) => {
  const findings = await findingsOf({ program: 'worker', env: { [name]: written } });
  expect(findings.filter((one) => one.name === name)).toMatchObject([{ kind: 'wrong' }]);
  expect(JSON.stringify(findings)).not.toContain('secret');
});

it.each([
  ['standalone', {}, 'STRIPE_SECRET_KEY: the sandbox answers'],
  ['standalone', {}, 'SMTP_URL: no mail leaves this machine'],
  ['worker', { STRIPE_SECRET_KEY: 'sk_test_1' }, 'STRIPE_SECRET_KEY: a key of the test mode'],
  ['worker', { STRIPE_SECRET_KEY: 'sk_live_1' }, 'STRIPE_SECRET_KEY: this key may do everything'],
  ['api', {}, 'STRIPE_WEBHOOK_SECRET: disputes'],
  ['api', { HOST: '0.0.0.0' }, 'HOST: others may reach 0.0.0.0'],
  ['api', { HOST: '0.0.0.0', PUBLIC_URL: 'http://shop.example' }, 'HOST: others may reach 0.0.0.0'],
  ['api', { LEADGER_MASTER_KEY: '0'.repeat(64) }, 'LEADGER_MASTER_KEY: a sample, or too simple to be secret'],
  ['api', { PUBLIC_URL: 'http://shop.example' }, 'PUBLIC_URL: without TLS'],
  ['worker', { SMTP_URL: 'smtp://mail.example' }, 'SMTP_URL: mails and password go without TLS'],
  ['worker', { LEADGER_EVENTS: 'esdb://events.example:2113?tls=false' }, 'LEADGER_EVENTS: without TLS'],
  ['worker', { LEADGER_EVENTS: 'esdb://admin:x@events.example:2113' }, 'LEADGER_EVENTS: the account of the admin'],
  ['worker', { DATABASE_URL: 'postgres://u:p@db.example/l' }, 'DATABASE_URL: without TLS'],
  ['worker', { LEADGER_WEBHOOKS_TO_THIS_MACHINE: 'yes' }, 'LEADGER_WEBHOOKS_TO_THIS_MACHINE: customers can have'],
  ['worker', { LEADGER_LOG_LEVEL: 'silent' }, 'LEADGER_LOG_LEVEL: no failure is logged'],
  ['worker', { NODE_TLS_REJECT_UNAUTHORIZED: '0' }, 'NODE_TLS_REJECT_UNAUTHORIZED: no certificate'],
  ['worker', { LEADGER_EVENT: 'esdb://x' }, 'LEADGER_EVENT: there is no such setting'],
] as const)('it is unsafe for %s with %o: %s', async (program, env, says) => {
  const base = program === 'standalone' ? { LEADGER_DATA: directory } : servers;
  const found = await told(program, { ...base, ...env });
  expect(found.filter((one) => one.startsWith(`unsafe ${says}`))).toHaveLength(1);
});

it('a weak secret is wrong where others may reach the program', async () => {
  const env = {
    ...servers,
    HOST: '0.0.0.0',
    LEADGER_MASTER_KEY: '0'.repeat(64),
    SMTP_URL: 'smtps://u:changeme@mail.example',
  };
  const wrong = (await told('worker', env)).filter((one) => one.startsWith('wrong'));
  expect(wrong.map((one) => one.split(':')[0]).sort()).toEqual(['wrong LEADGER_MASTER_KEY', 'wrong SMTP_URL']);
});

it('what stays on this machine needs no TLS', async () => {
  const env = {
    ...servers,
    SMTP_URL: 'smtp://localhost:25',
    LEADGER_EVENTS: 'esdb://127.0.0.1:2113?tls=false',
    DATABASE_URL: 'postgres://u:p@[::1]:5432/l',
  };
  expect(await told('worker', env)).toEqual([]);
});

it('what has no effect is a note', async () => {
  const env = { LEADGER_DATA: directory, MAIL_FROM: 'shop@example.com', STRIPE_STATEMENT_PREFIX: 'DMS' };
  const notes = (await told('standalone', env)).filter((one) => one.startsWith('note'));
  expect(notes).toEqual([
    'note MAIL_FROM: no effect without SMTP_URL',
    'note STRIPE_STATEMENT_PREFIX: no effect without STRIPE_SECRET_KEY',
  ]);
});

it('a store that other users can open is wrong, and its master key is named', async () => {
  mkdirSync(join(directory, 'events'));
  mkdirSync(join(directory, 'keys'));
  writeFileSync(join(directory, 'keys/master.key'), 'x');
  expect(await told('standalone', { LEADGER_DATA: directory })).toContain(
    `note LEADGER_MASTER_KEY: it is the file ${join(directory, 'keys/master.key')}: leave it out of the backups of the keys`,
  );
  const { chmodSync } = await import('node:fs');
  chmodSync(directory, 0o755);
  expect((await told('standalone', { LEADGER_DATA: directory }))[0]).toMatch(
    /^wrong LEADGER_DATA: other users can open/,
  );
});

it.each([
  ['SMTP_URL', 'smtp://user:sec ret@mail.example'],
  ['SMTP_URL', 'smtp://user:sec"ret@mail.example'],
  ['DATABASE_URL', 'postgres://user:sec\tret@db.example/leadger'],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://collector.example:4318?api-key=sec-ret'],
])('no part of a password in %s is shown, also where it is written in an odd way', async (name, written) => {
  const printed = jest.spyOn(console, 'log').mockReturnValue();
  await checkConfig({ program: 'standalone', env: { LEADGER_DATA: directory, [name]: written } });
  const text = printed.mock.calls.flat().join('\n');
  printed.mockRestore();
  expect(text).toContain(name);
  expect(text).not.toMatch(/sec[ "\t-]|ret@/);
});
