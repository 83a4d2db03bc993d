import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { type Cluster, startCluster } from '#test/postgres/cluster';
import { describeWithOwnPostgres } from '#test/postgres/database';
import { waitUntil } from '#test/wait-until';
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

  /** The event store is not reached before the database. */
  const start = (databaseUrl: string) =>
    new Program('worker', ['--port', '0'], {
      LEADGER_EVENTS: 'esdb://127.0.0.1:9?tls=false',
      DATABASE_URL: databaseUrl,
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
