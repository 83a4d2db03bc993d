import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { Client } from 'pg';
import { openBoxes } from '#audit/opened';
import { isBox } from '#domain/kernel/events';
import { openDataDirectory } from '#event-store/data-directory';
import { views } from '#read-models/analytics';
import { liveCopy } from '#read-models/engine/copies';
import { modelOf } from '#read-models/models';
import { describeWithPostgres, freshDatabase } from '#test/postgres/database';
import { FAR_AWAY_SECONDS, waitUntil } from '#test/wait-until';
import { openStores } from '#wiring/stores';
import { cli, Program } from './program.ts';

const { schema: leadsSchema } = liveCopy(modelOf('leads'));

let data: string;
beforeAll(async () => {
  const temporary = await mkdtemp(join(tmpdir(), 'leadger-query-'));
  data = join(temporary, 'store');
  await cli('demo', '--days', '2', '--data', data);
  const leads = join(temporary, 'leads.csv');
  await writeFile(leads, 'telephone,source\n+1 212 555 0191,"=HYPERLINK(""http://example.org"")"\n');
  const imported = await cli('import', 'leads', leads, '--lead-type', 'exclusive-aged', '--data', data);
  expect(imported.code).toBe(0);
});
afterAll(() => rm(join(data, '..'), { recursive: true }));

const SOURCES = "SELECT source, sum(leads) AS leads FROM supply_by_day WHERE source LIKE '=%' GROUP BY 1";

test('a query is answered as a table, as CSV without formulas that a spreadsheet would run, and as NDJSON', async () => {
  const ask = async (...parameters: string[]) => {
    const { code, stdout, stderr } = await cli('query', SOURCES, '--data', data, ...parameters);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return stdout;
  };
  expect(await ask()).toMatch(/^source +leads\n-+ {2}-----\n=HYPERLINK\("http:\/\/example.org"\) +1\n$/);
  expect(await ask('--format', 'csv')).toBe('source,leads\r\n"\'=HYPERLINK(""http://example.org"")",1\r\n');
  expect(await ask('--format', 'ndjson')).toBe('{"source":"=HYPERLINK(\\"http://example.org\\")","leads":1}\n');
});

test('a whole view is exported, and for an unknown one the message lists the views', async () => {
  const rows = (await cli('export', 'supply_by_day', '--data', data)).stdout.trim().split('\n');
  const csv = (await cli('export', 'supply_by_day', '--format', 'csv', '--data', data)).stdout.trim().split('\r\n');
  expect(csv).toHaveLength(rows.length + 1);
  expect(csv[0]?.split(',')).toEqual(Object.keys(JSON.parse(rows[0] as string)));
  const unknown = await cli('export', 'leads', '--data', data);
  expect(unknown).toMatchObject({ code: 1, stdout: '' });
  expect(unknown.stderr).toMatch(/^leadger: there is no view leads: there are sales_by_day, .*\n$/);
  const log = await cli('export', '--format', 'csv', '--data', data);
  expect(log.stderr).toBe('leadger: the log is written as NDJSON; only a view can be written as CSV or Parquet\n');
});

test('a view that is exported as Parquet has the same rows in another program as the NDJSON export', async () => {
  const file = join(data, '..', 'supply.parquet');
  const written = await cli('export', 'supply_by_day', '--format', 'parquet', '--output', file, '--data', data);
  expect(written).toEqual({ code: 0, stdout: '', stderr: '' });
  const lines = (await cli('export', 'supply_by_day', '--data', data)).stdout.trim().split('\n');
  const duck = await (await DuckDBInstance.create()).connect();
  const rows = (await duck.runAndReadAll(`FROM '${file}'`)).getRowObjects();
  duck.closeSync();
  const asWritten = (_: string, value: unknown) => (typeof value === 'bigint' ? Number(value) : value);
  expect(rows.map((row) => JSON.parse(JSON.stringify({ ...row, day: String(row.day) }, asWritten)))).toEqual(
    lines.map((line) => JSON.parse(line)),
  );
});

test('an error names the file that cannot be written, and a failed export keeps the file that was there', async () => {
  const nowhere = join(data, '..', 'nowhere', 'supply.csv');
  const failed = await cli('export', 'supply_by_day', '--format', 'csv', '--output', nowhere, '--data', data);
  expect(failed).toMatchObject({ code: 1, stdout: '' });
  expect(failed.stderr).toMatch(/^leadger: \S+supply.csv cannot be written: ENOENT.*\n$/);
  const file = join(data, '..', 'kept.ndjson');
  await writeFile(file, 'as it was');
  expect((await cli('export', '--output', file, '--data', join(data, 'none'))).code).toBe(1);
  expect(await readFile(file, 'utf8')).toBe('as it was');
  expect((await readdir(join(data, '..'))).filter((name) => name.endsWith('.part'))).toEqual([]);
});

test('a query sees the newest events while the store runs, also when a read model is paused', async () => {
  const store = new Program('standalone', ['--data', data, '--port', '0']);
  try {
    const [, url] = await store.says(/ready: (\S+)/);
    const call = (path: string, body?: object) =>
      fetch(`${url}${path}`, {
        method: 'POST',
        ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
      });
    expect((await call('/api/read-models/leads/pause')).ok).toBe(true);
    for (const [index, source] of ['first', 'second'].entries()) {
      const contact = { telephone: `+1 212 555 019${2 + index}` };
      expect((await call('/api/leads', { leadTypeId: 'exclusive-aged', source, contact })).status).toBe(201);
      const question = `SELECT sum(leads)::int AS leads FROM supply_by_day WHERE source = '${source}'`;
      const answer = await cli('query', question, '--format', 'ndjson', '--data', data);
      expect(answer).toEqual({ code: 0, stdout: '{"leads":1}\n', stderr: '' });
    }
    const sql = new Program('cli', ['sql', '--data', data, '--port', '0']);
    const [, address] = await sql.says(/psql "(\S+)\?/);
    const client = new Client(address);
    await client.connect();
    const { rows } = await client.query("SELECT sum(leads)::int AS leads FROM supply_by_day WHERE source = 'second'");
    await client.end();
    expect(rows).toEqual([{ leads: 1 }]);
    expect(await sql.stop()).toMatchObject({ code: 0, stderr: '' });
    expect((await call('/api/read-models/leads/resume')).ok).toBe(true);
    expect((await store.stop()).code).toBe(0);
  } finally {
    await store.kill();
  }
});

test('damaged read models for analysts are rebuilt', async () => {
  await mkdir(join(data, 'analysts'), { recursive: true });
  await writeFile(join(data, 'analysts', 'format.json'), 'half a li');
  const { code, stdout, stderr } = await cli('query', 'SELECT 1 AS one', '--format', 'ndjson', '--data', data);
  expect({ code, stdout }).toEqual({ code: 0, stdout: '{"one":1}\n' });
  expect(stderr).toMatch(
    /^leadger: \S+format\.json does not say which format .*: what analysts read is rebuilt from the log\n/,
  );
});

test('a query waits while another program uses the read models for analysts, and the store can start meanwhile', async () => {
  const other = openDataDirectory(join(data, 'analysts'));
  const question = new Program('cli', ['query', 'SELECT 1 AS one', '--format', 'ndjson', '--data', data]);
  await waitUntil(() => question.stderr.includes('\n'));
  const store = new Program('standalone', ['--data', data, '--port', '0']);
  await store.says(/ready: (\S+)/);
  expect((await store.stop()).code).toBe(0);
  expect(question.stdout).toBe('');
  other.close();
  const { code, stdout, stderr } = await question.ended;
  expect({ code, stdout }).toEqual({ code: 0, stdout: '{"one":1}\n' });
  expect(stderr).toMatch(/^\S+analysts is in use by process \d+: waiting for it\n$/);
});

/** Kinds of values that no view has, but that a query on views can produce. */
const KINDS = `SELECT ARRAY[9007199254740993::bigint, NULL] AS list, sum(9007199254740993::bigint) AS sum, 0.50::numeric AS half,
  -1::numeric / 3 AS third, '{"n": [9007199254740993, 1.5]}'::json AS object, '\\xdead'::bytea AS bytes, 'NaN'::float8 AS nan,
  ARRAY['-Infinity'::float8] AS endless`;
const KINDS_IN_NDJSON = `${JSON.stringify({
  list: ['9007199254740993', null],
  sum: '9007199254740993',
  half: 0.5,
  third: '-0.33333333333333333333',
  object: { n: ['9007199254740993', 1.5] },
  bytes: '\\xdead',
  nan: 'NaN',
  endless: ['-Infinity'],
})}\n`;

test('numbers keep their digits in every format, wherever they stand, and bytes are as PostgreSQL writes them', async () => {
  const ask = async (format: string) => {
    const { stdout, stderr } = await cli('query', KINDS, '--data', data, '--format', format);
    expect(stderr).toBe('');
    return stdout;
  };
  expect(await ask('ndjson')).toBe(KINDS_IN_NDJSON);
  const [, line] = (await ask('csv')).split('\r\n');
  expect(line).toBe(
    [
      '"[""9007199254740993"",null]"',
      '9007199254740993,0.5,-0.33333333333333333333',
      '"{""n"":[""9007199254740993"",1.5]}"',
      '\\xdead,NaN,"[""-Infinity""]"',
    ].join(','),
  );
  expect((await ask('table')).split('\n')[2]?.split(/ {2,}/)).toEqual([
    '["9007199254740993",null]',
    '9007199254740993',
    '0.5',
    '-0.33333333333333333333',
    '{"n":["9007199254740993",1.5]}',
    '\\xdead',
    'NaN',
    '["-Infinity"]',
  ]);
});

test('two columns with one name are refused, so that none is lost', async () => {
  const refused = await cli('query', 'SELECT 1 AS one, 2 AS one', '--format', 'ndjson', '--data', data);
  expect(refused).toEqual({
    code: 1,
    stdout: '',
    stderr: 'leadger: two columns are called one: give them names with AS\n',
  });
});

test('a statement that is no query on the views is refused in one line', async () => {
  const { code, stdout, stderr } = await cli('query', `SELECT * FROM ${leadsSchema}.leads`, '--data', data);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(
    /^leadger: permission denied for schema leads_\w+: only the views in the schema analytics .*\n$/,
  );
});

test('no view shows personal data from the vault, neither as a cell nor within one', async () => {
  const stores = await openStores({ directory: data });
  await stores.readModels.catchUp();
  const cells = new Set<string>();
  for (const { name } of views)
    for await (const { rows } of stores.readModels.analyse(`SELECT * FROM ${name}`, {
      timeoutSeconds: FAR_AWAY_SECONDS,
    }))
      for (const cell of rows.flat()) if (typeof cell === 'string') cells.add(cell);
  const kept = new Set<string>();
  for await (const { data } of stores.events.readAll())
    for (const box of boxesIn(JSON.parse(new TextDecoder().decode(data))))
      for (const text of textsIn(await openBoxes(box, stores.vault))) kept.add(text);
  await stores.close();
  const recognizable = [...kept].filter((text) => /@|\d.*\d.*\d.*\d.*\d.*\d.*\d/.test(text));
  expect(cells.size).toBeGreaterThan(20);
  expect(recognizable.length).toBeGreaterThan(100);
  expect([...cells].filter((cell) => kept.has(cell))).toEqual([]);
  expect(recognizable.filter((text) => [...cells].some((cell) => cell.includes(text)))).toEqual([]);
});

function boxesIn(data: unknown): unknown[] {
  if (typeof data !== 'object' || data === null) return [];
  return isBox(data) ? [data] : Object.values(data).flatMap(boxesIn);
}

function textsIn(data: unknown): string[] {
  if (typeof data === 'string') return [data];
  return typeof data === 'object' && data !== null ? Object.values(data).flatMap(textsIn) : [];
}

describeWithPostgres('on PostgreSQL,', () => {
  let url: string;
  let drop: () => Promise<void>;
  let analyst: URL;
  const asOwner = async (...statements: string[]) => {
    const client = new Client(url);
    await client.connect();
    for (const statement of statements) await client.query(statement);
    await client.end();
  };
  beforeAll(async () => {
    ({ url, drop } = await freshDatabase());
    expect((await cli('rebuild', '--all', '--data', data, '--database', url)).code).toBe(0);
    const name = `ada_${crypto.randomUUID().replaceAll('-', '')}`;
    await asOwner(`CREATE ROLE ${name} LOGIN PASSWORD 'secret' IN ROLE leadger_analyst`);
    analyst = new URL(url);
    analyst.username = name;
    analyst.password = 'secret';
  });
  afterAll(async () => {
    await asOwner(`DROP ROLE ${analyst.username}`);
    await drop();
  });

  test('an analyst with a database login needs neither the log nor the keys', async () => {
    const { stdout, stderr } = await cli('query', SOURCES, '--format', 'ndjson', '--database', analyst.href);
    expect({ stdout, stderr }).toEqual({
      stdout: '{"source":"=HYPERLINK(\\"http://example.org\\")","leads":1}\n',
      stderr: '',
    });
  });

  test('an answer is the same as on the embedded read models, for all kinds of values', async () => {
    const { stdout, stderr } = await cli('query', KINDS, '--format', 'ndjson', '--database', analyst.href);
    expect({ stdout, stderr }).toEqual({ stdout: KINDS_IN_NDJSON, stderr: '' });
  });

  test('that login can do nothing else', async () => {
    const client = new Client(analyst.href);
    await client.connect();
    const { rows } = await client.query<{ name: string }>(`
      SELECT format('%I.%I', nspname, relname) AS name FROM pg_class JOIN pg_namespace ON relnamespace = pg_namespace.oid
      WHERE relkind IN ('r', 'v', 'm', 'S') AND nspname NOT IN ('analytics', 'pg_catalog', 'information_schema')
        AND nspname NOT LIKE 'pg\\_%'`);
    expect(rows.length).toBeGreaterThan(10);
    for (const { name } of rows)
      await expect(client.query(`SELECT * FROM ${name}`)).rejects.toThrow('permission denied');
    await expect(client.query('RESET ROLE; SELECT * FROM read_models.copies')).rejects.toThrow('permission denied');
    await expect(client.query('CREATE TABLE analytics.mine (id int)')).rejects.toThrow('permission denied');
    await expect(client.query('SET ROLE postgres')).rejects.toThrow('permission denied');
    for (const statement of [
      "SELECT pg_read_file('/etc/passwd')",
      "SELECT lo_import('/etc/passwd')",
      "COPY (SELECT 1) TO PROGRAM 'true'",
      "COPY (SELECT 1) TO '/dev/null'",
      "SELECT set_config('role', 'postgres', false)",
      "SET SESSION AUTHORIZATION 'postgres'",
      "SELECT query_to_xml('SELECT * FROM read_models.copies', true, true, '')",
      'CREATE EXTENSION dblink',
      'CREATE TABLE public.mine (id int)',
      'CREATE FUNCTION analytics.mine() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$',
      'CREATE OR REPLACE VIEW analytics.fill_rate AS SELECT 1',
      'DROP VIEW analytics.fill_rate',
      'GRANT leadger_analyst TO postgres',
    ])
      await expect(client.query(statement)).rejects.toThrow(/permission denied|must (be|have)/);
    await client.query('SELECT * FROM analytics.fill_rate');
    await client.end();
  });

  test('that login sees neither values in table statistics nor the queries of others', async () => {
    const [owner, client] = [new Client(url), new Client(analyst.href)];
    await Promise.all([owner.connect(), client.connect()]);
    await owner.query('ANALYZE');
    const OURS = "schemaname NOT IN ('pg_catalog', 'information_schema')";
    const STATISTICS = `SELECT count(*)::int AS count FROM pg_stats WHERE ${OURS}`;
    const ASKED = `SELECT query FROM pg_stat_activity WHERE datname = current_database() AND usename = 'postgres'`;
    expect((await owner.query(STATISTICS)).rows[0].count).toBeGreaterThan(100);
    expect((await client.query(STATISTICS)).rows).toEqual([{ count: 0 }]);
    expect((await owner.query(ASKED)).rows).toEqual([{ query: ASKED }]);
    expect((await client.query(ASKED)).rows).toEqual([{ query: '<insufficient privilege>' }]);
    await Promise.all([owner.end(), client.end()]);
  });
});
