import { sql } from 'kysely';
import { type AnyTable, type RowKey, snake, type Table, type Tx } from './model.ts';

interface RowsOfTable {
  readonly known: Map<string, object>;
  readonly changed: Set<string>;
}

/** The rows that a batch of facts touches, in memory. */
export class Rows {
  readonly #tables = new Map<AnyTable, RowsOfTable>();

  get<Row extends object>(table: Table<Row>, key: string): Row | undefined {
    return this.#of(table).known.get(key) as Row | undefined;
  }

  put<Row extends object>(table: Table<Row>, row: Row): void {
    const key = row[table.key] as string;
    const { known, changed } = this.#of(table);
    known.set(key, row);
    changed.add(key);
  }

  /** The rows that were put, in the order in which that happened first. */
  changed<Row extends object>(table: Table<Row>): readonly Row[] {
    const { known, changed } = this.#of(table);
    return [...changed].map((key) => known.get(key) as Row);
  }

  async load(tx: Tx, schema: string, keys: Iterable<RowKey>): Promise<void> {
    const wanted = new Map<AnyTable, Set<string>>();
    for (const [table, key] of keys) wanted.set(table, (wanted.get(table) ?? new Set()).add(key));
    for (const [table, ids] of wanted) {
      const { known } = this.#of(table);
      const from = sql.table(`${schema}.${table.name}`);
      const { rows } =
        await sql<object>`SELECT * FROM ${from} WHERE ${sql.ref(snake(table.key))} = ANY(${[...ids]})`.execute(tx);
      for (const row of rows) known.set((row as Record<string, string>)[table.key] as string, row);
    }
  }

  /** Writes what was put, one statement for each table. */
  async save(tx: Tx, schema: string): Promise<void> {
    for (const table of this.#tables.keys()) {
      const rows = this.changed(table);
      if (rows.length > 0) await upsert(tx, `${schema}.${table.name}`, table, rows);
    }
  }

  #of(table: AnyTable): RowsOfTable {
    let rows = this.#tables.get(table);
    if (!rows) {
      rows = { known: new Map(), changed: new Set() };
      this.#tables.set(table, rows);
    }
    return rows;
  }
}

async function upsert(tx: Tx, name: string, { key, columns }: AnyTable, rows: readonly object[]): Promise<void> {
  const names = Object.keys(columns).map((column) => [column, snake(column)] as const);
  const records = rows.map((row) =>
    Object.fromEntries(names.map(([column, name]) => [name, (row as Record<string, unknown>)[column] ?? null])),
  );
  const into = sql.table(name);
  const list = sql.join(names.map(([, name]) => sql.ref(name)));
  const others = names.filter(([column]) => column !== key);
  const updates = sql.join(others.map(([, name]) => sql`${sql.ref(name)} = excluded.${sql.ref(name)}`));
  await sql`INSERT INTO ${into} (${list})
    SELECT ${list} FROM json_populate_recordset(NULL::${into}, ${JSON.stringify(records)}::json)
    ON CONFLICT (${sql.ref(snake(key))}) DO UPDATE SET ${updates}`.execute(tx);
}
