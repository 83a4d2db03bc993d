import { describeWithPostgres, freshDatabase } from '#test/postgres/database';
import { waitUntil } from '#test/wait-until';
import { PostgresPool } from './pool.ts';

describeWithPostgres('a PostgreSQL that answers, and yet cannot be used', () => {
  let database: Awaited<ReturnType<typeof freshDatabase>>;
  let pool: PostgresPool;
  const closeConnections = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()`;

  /** What was there when the watch asked first. */
  const asked = `SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'leadger watch' AND state = 'idle' AND query LIKE '%to_regclass%'`;

  beforeEach(async () => {
    database = await freshDatabase();
    await database.query('CREATE SCHEMA shelf; CREATE TABLE shelf.books (name text)');
    pool = new PostgresPool(database.url, { max: 2, tables: ['shelf.books', 'shelf.later'] });
    await waitUntil(async () => (await database.query(asked)).length > 0);
  });
  afterEach(async () => {
    await pool.end();
    await database.drop();
  });

  const switchWriting = (off: 'on' | 'off') =>
    database.query(`BEGIN READ WRITE; DO $$ BEGIN EXECUTE format(
      'ALTER DATABASE %I SET default_transaction_read_only = ${off}', current_database()); END $$; COMMIT`);

  test('because it can only be read: reads go on, and it is not well until it can be written', async () => {
    await switchWriting('on');
    await database.query(closeConnections);
    await waitUntil(() => pool.state.error === 'writing is switched off there');
    expect((await pool.query('SELECT * FROM shelf.books')).rows).toEqual([]);
    await expect(pool.query("INSERT INTO shelf.books VALUES ('a')")).rejects.toThrow('read-only');
    await switchWriting('off');
    await waitUntil(() => pool.state.ok);
    await pool.query("INSERT INTO shelf.books VALUES ('a')");
    expect(pool.outages.count).toBe(1);
  });

  test('because tables are gone that were there, as while it is restored: it counts as away until they are back', async () => {
    await database.query('ALTER TABLE shelf.books RENAME TO papers');
    await waitUntil(() => !pool.state.ok);
    expect(pool.state.error).toBe('there is no shelf.books any more');
    await expect(pool.query('SELECT 1')).rejects.toThrow(/has lost tables: there is no shelf\.books any more/);
    await database.query('ALTER TABLE shelf.papers RENAME TO books');
    await waitUntil(() => pool.state.ok);
    expect((await pool.query('SELECT * FROM shelf.books')).rows).toEqual([]);
  });
});
