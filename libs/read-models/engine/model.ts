import { type Kysely, sql, type Transaction } from 'kysely';
import type { FactOf } from '#domain/codec';
import type { EventTypeName } from '#domain/ledger';

export type Db = Kysely<Record<string, Record<string, unknown>>>;
export type Tx = Transaction<Record<string, Record<string, unknown>>>;

type ColumnType = 'text' | 'integer' | 'bigint' | 'double precision' | 'timestamptz' | 'date' | 'jsonb' | 'boolean';

/** A table of rows that facts write. In the database, names are written with underscores. */
export interface Table<Row extends object = Record<string, unknown>> {
  readonly name: string;
  /** One text column. */
  readonly key: keyof Row & string;
  readonly columns: { readonly [Column in keyof Row & string]: ColumnType };
  /** Column lists as SQL, e.g. `customer_id, placed_at DESC`. */
  readonly indexes: readonly string[];
}

/** The type of rows must be told, so that columns are checked against it: `table<OrderRow>()({...})` is one call too many. */
export const table = <Row extends object>(definition: Table<Row>): Table<Row> => definition;

/**
 * A read model: tables, and how a fact changes their rows. `evolve` is pure but for the rows it puts: it reads, computes,
 * and puts last, so that a fact that throws has changed nothing.
 */
export interface Model<Types extends EventTypeName = EventTypeName> {
  readonly name: string;
  /** Raised whenever tables or `evolve` change: the model is built anew then. */
  readonly version: number;
  // biome-ignore lint/suspicious/noExplicitAny: tables of different rows stand side by side
  readonly tables: readonly Table<any>[];
  readonly eventTypes: readonly Types[];
  /** Which rows `evolve` may ask for. */
  readonly keysOf: (fact: FactOf<Types>) => readonly RowKey[];
  readonly evolve: (rows: Rows, fact: FactOf<Types>) => void;
}

// biome-ignore lint/suspicious/noExplicitAny: as above
export type RowKey = readonly [table: Table<any>, key: string];

/** The rows that a batch of facts touches, in memory. */
export class Rows {
  readonly #tables = new Map<Table, { readonly known: Map<string, object>; readonly changed: Set<string> }>();

  get<Row extends object>(table: Table<Row>, key: string): Row | undefined {
    return this.#of(table).known.get(key) as Row | undefined;
  }

  put<Row extends object>(table: Table<Row>, row: Row): void {
    const key = row[table.key] as string;
    const { known, changed } = this.#of(table);
    known.set(key, row);
    changed.add(key);
  }

  async load(tx: Tx, schema: string, keys: Iterable<RowKey>): Promise<void> {
    const wanted = new Map<Table, Set<string>>();
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
    for (const [table, { known, changed }] of this.#tables) {
      if (changed.size === 0) continue;
      const columns = Object.keys(table.columns);
      const names = columns.map((column) => [column, snake(column)] as const);
      const records = [...changed].map((key) => {
        const row = known.get(key) as Record<string, unknown>;
        return Object.fromEntries(names.map(([column, name]) => [name, row[column] ?? null]));
      });
      const into = sql.table(`${schema}.${table.name}`);
      const list = sql.join(names.map(([, name]) => sql.ref(name)));
      const updates = sql.join(
        names
          .filter(([column]) => column !== table.key)
          .map(([, name]) => sql`${sql.ref(name)} = excluded.${sql.ref(name)}`),
      );
      await sql`INSERT INTO ${into} (${list})
        SELECT ${list} FROM json_populate_recordset(NULL::${into}, ${JSON.stringify(records)}::json)
        ON CONFLICT (${sql.ref(snake(table.key))}) DO UPDATE SET ${updates}`.execute(tx);
    }
  }

  // biome-ignore lint/suspicious/noExplicitAny: rows of different tables lie side by side
  #of(table: Table<any>) {
    let rows = this.#tables.get(table);
    if (!rows) {
      rows = { known: new Map(), changed: new Set() };
      this.#tables.set(table, rows);
    }
    return rows;
  }
}

/** `deliveredLeads` → `delivered_leads`. */
export const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const camelNames = new Map<string, string>();

/** `delivered_leads` → `deliveredLeads`. Each is made once: there are few, and they are asked for with every answer. */
export function camel(name: string): string {
  let made = camelNames.get(name);
  if (made === undefined) {
    made = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    camelNames.set(name, made);
  }
  return made;
}

/** Creates the empty tables of a model in a schema of their own; what lay there before is gone. */
export async function createTables(db: Db | Tx, schema: string, tables: Model['tables']): Promise<void> {
  await sql`DROP SCHEMA IF EXISTS ${sql.id(schema)} CASCADE`.execute(db);
  await sql`CREATE SCHEMA ${sql.id(schema)}`.execute(db);
  for (const { name, key, columns, indexes } of tables) {
    const list = sql.join(
      Object.entries(columns).map(
        ([column, type]) => sql`${sql.ref(snake(column))} ${sql.raw(`${type}${column === key ? ' PRIMARY KEY' : ''}`)}`,
      ),
    );
    await sql`CREATE TABLE ${sql.table(`${schema}.${name}`)} (${list})`.execute(db);
    for (const columnList of indexes)
      await sql`CREATE INDEX ON ${sql.table(`${schema}.${name}`)} (${sql.raw(columnList)})`.execute(db);
  }
}
