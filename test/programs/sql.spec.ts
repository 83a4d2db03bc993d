import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { views } from '#read-models/analytics';
import { describeWithPsql, PSQL } from '#test/postgres/database';
import { cli, Program } from './program.ts';

const run = promisify(execFile);

let temporary: string;
let data: string;
let copies: string;
let sql: Program;
let url: string;

const open = async () => {
  const program = new Program('cli', ['sql', '--data', data, '--port', '0'], { TMPDIR: copies });
  const [, address] = await program.says(/psql "(\S+)"/);
  return { program, url: (address as string).replace('?sslmode=disable', '') };
};

beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'leadger-sql-spec-'));
  data = join(temporary, 'store');
  copies = await mkdtemp(join(temporary, 'copies-'));
  await cli('demo', '--days', '2', '--data', data);
  ({ program: sql, url } = await open());
});
afterAll(async () => {
  await sql.stop();
  await rm(temporary, { recursive: true });
});

async function connected<Result>(work: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new Client(url);
  await client.connect();
  return work(client).finally(() => client.end());
}

test('a client queries the views by name, and the command warns that every client is a superuser', async () => {
  expect(sql.stdout).toContain('Each client is a superuser, without a password, from this machine only.');
  await connected(async (client) => {
    for (const {
      name,
      example: [, query],
    } of views) {
      await client.query(`SELECT * FROM ${name}`);
      await client.query(query);
    }
    const { rows } = await client.query('SELECT sum(orders)::int AS orders FROM fill_rate WHERE orders >= $1', [1]);
    expect(rows[0].orders).toBeGreaterThan(0);
  });
});

test('a write is refused by default, and a deliberate write changes only the copy', async () => {
  const before = (await cli('digest', '--data', data)).stdout;
  await connected(async (client) => {
    await expect(client.query('DROP SCHEMA analytics CASCADE')).rejects.toThrow('in a read-only transaction');
    await client.query('BEGIN READ WRITE; DROP VIEW analytics.ageing; COMMIT');
    await expect(client.query('SELECT * FROM ageing')).rejects.toThrow('does not exist');
  });
  expect((await cli('digest', '--data', data)).stdout).toBe(before);
  expect((await cli('query', 'SELECT * FROM ageing', '--data', data)).code).toBe(0);
});

test('a new connection starts without the settings, statements or transaction of the one before', async () => {
  await connected(async (client) => {
    await client.query('SET search_path = public');
    await client.query({ name: 'mine', text: 'SELECT 1 AS first' });
    await client.query('BEGIN');
    await expect(client.query('SELECT nothing')).rejects.toThrow('does not exist');
  });
  await connected(async (client) => {
    expect((await client.query({ name: 'mine', text: 'SHOW search_path' })).rows).toEqual([
      { search_path: 'analytics' },
    ]);
  });
});

test('a new connection waits until the one before has ended, and is not in its transaction', async () => {
  const first = new Client(url);
  await first.connect();
  await first.query('BEGIN READ WRITE; CREATE TABLE public.half AS SELECT 1 AS half');
  const next = connected((client) => client.query("SELECT to_regclass('public.half') AS half"));
  for (let times = 0; times < 50; times += 1)
    expect((await first.query('SELECT $1::int + half AS n FROM public.half', [times])).rows).toEqual([
      { n: times + 1 },
    ]);
  await first.end();
  expect((await next).rows).toEqual([{ half: null }]);
});

test('the port is open on this machine only, and a port in use is reported', async () => {
  const addresses = Object.values(networkInterfaces()).flatMap((known) => known ?? []);
  const outside = addresses.find(({ internal, family }) => !internal && family === 'IPv4');
  const from = new URL(url);
  if (outside) {
    from.hostname = outside.address;
    await expect(new Client(from.href).connect()).rejects.toThrow('ECONNREFUSED');
  }
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as { port: number };
  const { code, stderr } = await cli('sql', '--data', data, '--port', String(port));
  taken.close();
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringMatching(/^leadger: port \d+ cannot be opened: listen EADDRINUSE.*\n$/),
  });
});

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s ends it at once, also during a query, and removes the copy',
  async (signal) => {
    const before = await readdir(copies);
    const { program, url } = await open();
    const client = new Client(url);
    client.on('error', () => {});
    await client.connect();
    const endless = expect(client.query('SELECT count(*) FROM generate_series(1, 1000000000000)')).rejects.toThrow();
    program.process.kill(signal);
    expect(await program.ended).toMatchObject({ code: 0, stderr: '' });
    await endless;
    expect(await readdir(copies)).toEqual(before);
  },
);

test('for read models on PostgreSQL the command refers to clients of that server', async () => {
  const { code, stderr } = await cli('sql', '--data', data, '--database', 'postgres://postgres@127.0.0.1:1/postgres');
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringMatching(/^leadger: the read models are on a PostgreSQL: connect there, .*\n$/),
  });
});

describeWithPsql('psql', () => {
  test('lists the views, answers queries, and copies to a local file', async () => {
    const psql = async (...commands: string[]) => {
      const parameters = ['-X', '-A', '-t', `${url}?sslmode=prefer`, ...commands.flatMap((command) => ['-c', command])];
      return (await run(PSQL, parameters)).stdout.trim().split('\n');
    };
    const listed = await psql('\\dv');
    expect(listed.map((line) => line.split('|')[1]).sort()).toEqual(
      expect.arrayContaining(['fill_rate', 'starvation', 'supply_by_day']),
    );
    const [count, ...rows] = await psql(
      'SELECT count(*) FROM fill_rate',
      '\\copy (SELECT * FROM fill_rate) TO STDOUT CSV',
    );
    expect(rows).toHaveLength(Number(count));
  });
});
