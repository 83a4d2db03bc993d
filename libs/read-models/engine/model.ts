import { type Kysely, sql, type Transaction } from 'kysely';
import type { z } from 'zod';
import { type FactOf, idOf } from '#domain/codec';
import { type EventTypeName, type FamilyName, familyOf, ledger } from '#domain/ledger';
import { type ColumnType, columnTypeOf } from './columns.ts';
import type { Rows } from './rows.ts';

export type Db = Kysely<Record<string, Record<string, unknown>>>;
export type Tx = Transaction<Record<string, Record<string, unknown>>>;

/** Whose the rows of a table are. A caller with limited rights sees no row of a table that does not say it. */
export interface Ownership<Row extends object> {
  /** The column with the id of the customer. */
  readonly customer?: keyof Row & string;
  /** The column with the id of the store. */
  readonly store?: keyof Row & string;
  /** The column with the ids of several stores, where rows belong to more than one. */
  readonly stores?: keyof Row & string;
  /** For what these rows do not say: the table whose row with the same id (in a column of the same name) says it. */
  readonly sameAs?: AnyTable;
}

/** A table of rows that facts write. In the database, names are written with underscores. */
export interface Table<Row extends object = Record<string, unknown>> {
  readonly name: string;
  /** One text column. */
  readonly key: keyof Row & string;
  readonly columns: Readonly<Record<keyof Row & string, ColumnType>>;
  /** Column lists as SQL, e.g. `customer_id, placed_at DESC`. */
  readonly indexes: readonly string[];
  /** Each row is about the stream of this family with the row's key as its id, and has the revision of that stream. */
  readonly family?: FamilyName | undefined;
  /** The streams whose events rows are made of: family → column with the id. Absent: the stream of `family`. */
  readonly madeOf?: { readonly [Family in FamilyName]?: keyof Row & string };
  readonly belongsTo: Ownership<Row>;
}

// biome-ignore lint/suspicious/noExplicitAny: tables with different rows stand side by side
export type AnyTable = Table<any>;

type Definition<Row extends object> = Omit<Table<Row>, 'columns' | 'family'> &
  (Row extends { readonly revision: number } ? { readonly family: FamilyName } : { readonly family?: never });

/** The columns come from the schema of the rows. */
export function table<Shape extends z.ZodRawShape>(
  row: z.ZodObject<Shape>,
  definition: Definition<z.infer<z.ZodObject<Shape>>>,
): Table<z.infer<z.ZodObject<Shape>>> {
  const columns = Object.entries(row.shape).map(([name, field]) => [name, columnTypeOf(name, field as z.ZodType)]);
  return { ...definition, columns: Object.fromEntries(columns) } as Table<z.infer<z.ZodObject<Shape>>>;
}

/** A read model: tables, and how facts change their rows. */
interface Model<Types extends EventTypeName = EventTypeName> {
  readonly name: string;
  readonly tables: readonly AnyTable[];
  readonly eventTypes: readonly Types[];
  /** The rows that `evolve` may read. */
  readonly keysOf: (fact: FactOf<Types>) => readonly RowKey[];
  /** Pure but for the rows that it changes. It reads and computes first: a fact that throws has changed nothing. */
  readonly evolve: (rows: Rows, fact: FactOf<Types>) => void;
}

// biome-ignore lint/suspicious/noExplicitAny: each model knows its own facts; the engine only carries them
export type AnyModel = Model<any>;

export type RowKey = readonly [table: AnyTable, key: string];

type Handlers<Types extends EventTypeName, First> = {
  readonly [Type in Types]: (first: First, fact: FactOf<Type>) => void;
};

/** A model whose events each change rows as they need. */
export function model<Types extends EventTypeName>({
  on,
  ...definition
}: Pick<Model<Types>, 'name' | 'tables' | 'keysOf'> & { readonly on: Handlers<Types, Rows> }): Model<Types> {
  const handlers = on as Readonly<Record<string, (rows: Rows, fact: unknown) => void>>;
  const eventTypes = Object.keys(on) as Types[];
  return { ...definition, eventTypes, evolve: (rows, fact) => handlers[fact.type]?.(rows, fact) };
}

/** A model with one table that has a row for each stream. */
export function modelOfStreams<Row extends object, Types extends EventTypeName>({
  name,
  table,
  never,
  on,
}: {
  readonly name: string;
  readonly table: Table<Row>;
  /** What an event without a row is of, for people: `an order that was never placed`. */
  readonly never: string;
  readonly on: Handlers<Types, RowOfStream<Row>>;
}): Model<Types> {
  const handlers = on as Readonly<Record<string, (row: RowOfStream<Row>, fact: unknown) => void>>;
  return {
    name,
    tables: [table],
    eventTypes: Object.keys(on) as Types[],
    keysOf: ({ stream }) => [[table, idOf(stream)]],
    evolve: (rows, fact) => handlers[fact.type]?.(new RowOfStream(rows, table, fact, never), fact),
  };
}

/** The row that a fact is about. */
export class RowOfStream<Row extends object> {
  readonly id: string;
  readonly #rows: Rows;
  readonly #table: Table<Row>;
  readonly #missing: string;

  constructor(rows: Rows, table: Table<Row>, { type, stream }: { type: string; stream: string }, never: string) {
    this.id = idOf(stream);
    this.#rows = rows;
    this.#table = table;
    this.#missing = `${type} of ${never}`;
  }

  /** As it was before this event. Undefined: there was none. */
  get before(): Row | undefined {
    return this.#rows.get(this.#table, this.id);
  }

  /** As it is now. */
  get now(): Row {
    const row = this.before;
    if (!row) throw new Error(this.#missing);
    return row;
  }

  create(row: Row): void {
    this.#rows.put(this.#table, row);
  }

  set(change: Partial<Row>): void {
    this.#rows.put(this.#table, { ...this.now, ...change });
  }
}

/** The types of the events that a model follows: its own, and all of the families whose revisions its rows have. */
export function typesFollowedBy({ tables, eventTypes }: AnyModel): readonly string[] {
  const families = tables.flatMap(({ family }) => family ?? []);
  return [...new Set([...eventTypes, ...families.flatMap((family) => Object.keys(ledger[family].events))])];
}

/** The rows of a model that are about the stream of a fact, and have its revision. */
export function rowsAbout({ tables }: AnyModel, { stream }: { readonly stream: string }): readonly RowKey[] {
  return tables.flatMap((table) => (table.family === familyOf(stream) ? [[table, idOf(stream)] as const] : []));
}

/** `deliveredLeads` → `delivered_leads`. */
export const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Creates the empty tables of a model in a schema of their own; tables that were there before are dropped. */
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
