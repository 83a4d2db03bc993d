import { Client } from 'pg';
import { describeWithPostgres, freshDatabase } from './database.ts';

describeWithPostgres('a database for one test', () => {
  it('is new and empty each time, and gone afterwards', async () => {
    const one = await freshDatabase();
    const client = new Client(one.url);
    client.on('error', () => {});
    await client.connect();
    await client.query('CREATE TABLE things (id int)');
    await one.drop();
    await expect(new Client(one.url).connect()).rejects.toThrow('does not exist');
    const other = await freshDatabase();
    const again = new Client(other.url);
    await again.connect();
    const { rows } = await again.query("SELECT count(*)::int AS count FROM pg_tables WHERE tablename = 'things'");
    expect(rows).toEqual([{ count: 0 }]);
    await again.end();
    await other.drop();
  });
});
