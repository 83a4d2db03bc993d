import { sql } from 'kysely';
import type { Copy } from './engine/copies.ts';
import type { Db, Tx } from './engine/model.ts';

const ROWS_AT_ONCE = 1000;

/** All rows of a copy, table by table, in the order of their keys. */
export async function* rowsOfCopy(db: Db, copy: Copy): AsyncGenerator<object> {
  for (const { name, key } of copy.model.tables) yield* rowsOfTable(db, `${copy.schema}.${name}`, key);
}

async function* rowsOfTable(db: Db, name: string, key: string): AsyncGenerator<object> {
  const column = sql<string>`${sql.ref(key)} COLLATE "C"`;
  let last: string | undefined;
  do {
    const all = db.selectFrom(name).selectAll().orderBy(column).limit(ROWS_AT_ONCE);
    const rows = await (last === undefined ? all : all.where(sql<boolean>`${column} > ${last}`)).execute();
    yield* rows;
    last = rows.length < ROWS_AT_ONCE ? undefined : (rows.at(-1) as Record<string, string>)[key];
  } while (last !== undefined);
}

/** MD5 over all rows of a copy in the order of their keys, at one instant. */
export const digestOf = (db: Db, { model, schema }: Copy): Promise<string> =>
  db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (tx) => {
      const digests: string[] = [];
      for (const { name, key } of model.tables) digests.push(await digestOfTable(tx, `${schema}.${name}`, key));
      return digests.join('-');
    });

/** Over the digests of rows, not over the rows: no text can be longer than 1 GB. */
async function digestOfTable(tx: Tx, name: string, key: string): Promise<string> {
  const { rows } = await sql<{ digest: string }>`
    SELECT md5(coalesce(string_agg(md5(t::text), '' ORDER BY ${sql.ref(key)} COLLATE "C"), '')) AS digest
    FROM ${sql.table(name)} AS t`.execute(tx);
  return (rows[0] as { digest: string }).digest;
}
