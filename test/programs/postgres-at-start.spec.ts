import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import { startWireNode } from '#event-store/wire-node/wire-node';
import { type Cluster, startCluster } from '#test/postgres/cluster';
import { describeWithOwnPostgres } from '#test/postgres/database';
import { waitUntil } from '#test/wait-until';
import { onServers } from './on-servers.ts';
import { Program } from './program.ts';

describeWithOwnPostgres('a program that starts', () => {
  let cluster: Cluster;
  let host: string;
  let directory: string;
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'leadger-start-'));
    cluster = await startCluster();
    host = new URL(cluster.url).host;
    const client = new Client(cluster.url);
    await client.connect();
    for (const statement of [
      "CREATE ROLE ledger LOGIN PASSWORD 'right'",
      "CREATE ROLE reader LOGIN PASSWORD 'right'",
      'CREATE DATABASE ledger OWNER ledger',
    ])
      await client.query(statement);
    const rules = join(cluster.data, 'pg_hba.conf');
    writeFileSync(rules, `host all ledger,reader 127.0.0.1/32 scram-sha-256\n${readFileSync(rules, 'utf8')}`);
    await client.query('SELECT pg_reload_conf()');
    await client.end();
  });
  afterAll(() => {
    cluster.stop();
    rmSync(directory, { recursive: true });
  });

  /** The database is prepared without the event store, which is away. */
  const start = (databaseUrl: string, others: Readonly<Record<string, string>> = {}) =>
    new Program('worker', ['--port', '0'], {
      ...onServers('esdb://127.0.0.1:9?tls=false', databaseUrl),
      ...others,
    });
  const ends = async (databaseUrl: string) => {
    const { code, stderr } = await start(databaseUrl).ended;
    return { code, lines: stderr.split('\n').filter((line) => line.startsWith('leadger:') || line.includes(' at ')) };
  };
  /** Waits until a program has opened its leases. */
  const isConnected = async () => {
    const client = new Client(cluster.url);
    await client.connect();
    const question = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'leadger leases'";
    await waitUntil(async () => (await client.query(question)).rowCount);
    await client.end();
  };
  const oneLine = (line: string) => ({ code: 1, lines: [line] });

  test.each([
    ['a wrong password', 'postgres://ledger:wrong@HOST/ledger', 'password authentication failed for user "ledger"'],
    ['a database that is missing', 'postgres://ledger:right@HOST/ledgr', 'database "ledgr" does not exist'],
    ['too few rights', 'postgres://reader:right@HOST/ledger', 'permission denied for database ledger'],
    [
      'TLS against none',
      'postgres://ledger:right@HOST/ledger?sslmode=verify-full',
      'The server does not support SSL connections',
    ],
    [
      'a missing file',
      'postgres://ledger:right@HOST/ledger?sslmode=verify-full&sslrootcert=/missing.crt',
      'the file /missing.crt of its address cannot be read (ENOENT)',
    ],
  ])('ends with one line for %s, which says where and why', async (_, url, reason) => {
    const place = reason.startsWith('the file') ? 'its host' : host;
    expect(await ends(url.replace('HOST', host))).toEqual(oneLine(`leadger: PostgreSQL at ${place}: ${reason}`));
  });

  test('on one machine ends with one line for too few rights, too', async () => {
    const url = `postgres://reader:right@${host}/ledger`;
    const parameters = ['--data', directory, '--port', '0', '--database', url];
    const { code, stderr } = await new Program('standalone', parameters).ended;
    const reason = 'permission denied for database ledger';
    expect({ code, stderr }).toEqual({ code: 1, stderr: `leadger: PostgreSQL at ${host}: ${reason}\n` });
  });

  test.each(['mysql://ledger:right@db/ledger', 'postgres://ledger:ri/ght@db/ledger', 'ledger'])(
    'ends with one line for the malformed address %s, without repeating it',
    async (url) => {
      const { code, lines } = await ends(url);
      expect({ code, count: lines.length }).toEqual({ code: 1, count: 1 });
      expect(lines[0]).toMatch('its address is malformed: it is like postgres://');
      expect(lines[0]).not.toMatch(/ri.ght|right/);
    },
  );

  test.each([
    [
      'a malformed address of the event store',
      { LEADGER_EVENTS: 'esdb://u:secret@127.0.0.1:9?tls=perhaps' },
      'the connection string of the event store says tls=perhaps, which is not true or false',
    ],
    [
      'a missing authority of the event store',
      { LEADGER_EVENTS: 'esdb://127.0.0.1:9?tlsCAFile=/nowhere' },
      'the connection string of the event store names a tlsCAFile that does not exist: /nowhere',
    ],
    ['an empty event store', { LEADGER_EVENTS: '' }, 'LEADGER_EVENTS is empty: give it a value, or leave it out'],
    ['an empty port', { PORT: '' }, 'PORT is empty: give it a value, or leave it out'],
    [
      'a master key that is none',
      { LEADGER_MASTER_KEY: 'short' },
      'LEADGER_MASTER_KEY holds no key: 32 bytes in base64 or hexadecimal digits',
    ],
    ['a mail server that is none', { SMTP_URL: 'mail' }, 'SMTP_URL is not smtp://host:port or smtps://'],
  ])('ends with one line for %s, also while PostgreSQL is away', async (_, wrong, why) => {
    const { code, stderr } = await start('postgres://ledger:right@127.0.0.1:9/ledger', wrong).ended;
    expect({ code, lines: stderr.trimEnd().split('\n').length }).toEqual({ code: 1, lines: 1 });
    expect(stderr).toMatch(`leadger: ${why}`);
  });

  test('ends with one line for an event store that does not speak TLS, also while PostgreSQL is away', async () => {
    const events = await openEmbeddedStore();
    const node = await startWireNode({ store: events });
    const wrong = { LEADGER_EVENTS: `esdb://localhost:${node.port}` };
    const { code, stderr } = await start('postgres://ledger:right@127.0.0.1:9/ledger', wrong).ended;
    const why = `the event store cannot be used: localhost:${node.port}: it does not speak TLS`;
    expect(code).toBe(1);
    expect(stderr.trimEnd().split('\n').at(-1)).toMatch(`leadger: ${why}`);
    await node.close();
    await events.close();
  });

  test('waits for a server that is away, and names it', async () => {
    await cluster.shutDown('fast');
    const program = start(`postgres://ledger:right@${host}/ledger`);
    const waiting = `leadger: waiting for PostgreSQL at ${host}: the connection is refused\n`;
    await waitUntil(() => program.stderr.includes(`${waiting}${waiting}`));
    await cluster.start();
    await isConnected();
    expect(program.process.exitCode).toBeNull();
    await program.kill();
  });

  test('ends with one line when it does not trust the certificate', async () => {
    const [key, certificate] = [join(cluster.data, 'server.key'), join(cluster.data, 'server.crt')];
    const names = ['-subj', '/CN=db', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const how = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    spawnSync('openssl', [...how, ...names, '-keyout', key, '-out', certificate]);
    const { uid, gid } = statSync(cluster.data);
    for (const file of [key, certificate]) chownSync(file, uid, gid);
    chmodSync(key, 0o600);
    writeFileSync(join(cluster.data, 'postgresql.auto.conf'), 'ssl = on\n');
    await cluster.shutDown('fast');
    await cluster.start();
    const url = `postgres://ledger:right@${host}/ledger?sslmode=verify-full`;
    const reason = 'its certificate is not trusted: name its authority with sslrootcert=FILE in the address';
    expect(await ends(url)).toEqual(oneLine(`leadger: PostgreSQL at ${host}: ${reason}`));
    const program = start(`${url}&sslrootcert=${certificate}`);
    await isConnected();
    await program.kill();
  });
});
