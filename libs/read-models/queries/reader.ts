import { type RawBuilder, sql } from 'kysely';
import type { Caller } from '#domain/kernel/caller';
import type { AnyTable, Db, Table } from '../engine/model.ts';
import { type damageMarks, type Marked } from './damaged.ts';
import { type Page, type PageRequest, pageOf, type Select, type SortOrder } from './paging.ts';
import { type Owned, visibleTo } from './visibility.ts';

/** Which rows a list is asked for: the values of some columns, each of which may be left out. */
export type Matching<Row extends object, Columns extends keyof Row> = {
  readonly [Column in Columns]?: Row[Column] | undefined;
};

interface ListDefinition<Row extends object, Filters extends keyof Row & string> {
  readonly by: keyof Row & string;
  readonly newestFirst?: true;
  readonly filters: readonly Filters[];
  /** Rows with this value are listed only where it is asked for. */
  readonly unlessAsked?: { readonly [Column in Filters]?: Row[Column] };
}

/** Reads rows. Each statement finds only those that the caller may see. */
export class RowReader {
  readonly db: Db;
  /** The qualified name of a table. @throws BeingBuilt */
  readonly nameOf: (table: AnyTable) => string;
  readonly mark: ReturnType<typeof damageMarks>;

  constructor({ db, nameOf, mark }: Pick<RowReader, 'db' | 'nameOf' | 'mark'>) {
    this.db = db;
    this.nameOf = nameOf;
    this.mark = mark;
  }

  rows<Row extends object>(caller: Caller, table: Table<Row>): Select<Row> {
    return this.visible(caller, table, this.allRows(table));
  }

  /** Of all customers: only for what belongs to a row that the caller was found to see. */
  allRows<Row extends object>(table: Table<Row>): Select<Row> {
    return this.db.selectFrom(this.nameOf(table)).selectAll() as unknown as Select<Row>;
  }

  visible<Row extends object>(caller: Caller, owned: Owned, rows: Select<Row>): Select<Row> {
    const condition = visibleTo(caller, owned, this.nameOf);
    return condition ? rows.where(condition) : rows;
  }

  /** For statements that are written as SQL: a table's name, and the condition for its WHERE. */
  sqlFor(
    caller: Caller,
    table: AnyTable,
  ): { readonly from: RawBuilder<unknown>; readonly visible: RawBuilder<boolean> } {
    const visible = visibleTo(caller, table, this.nameOf) ?? sql<boolean>`TRUE`;
    return { from: sql.table(this.nameOf(table)), visible };
  }

  /** The query for one row by its key. */
  finding<Row extends object>(table: Table<Row>) {
    return async (caller: Caller, key: string): Promise<Marked<Row> | undefined> => {
      const found = this.rows(caller, table).where(table.key, '=', key as never);
      const row = (await found.executeTakeFirst()) as Row | undefined;
      return row && this.mark(table, row);
    };
  }

  /** The query for a list of rows, in pages. Rows with the same instant are sorted by their key. */
  listing<Row extends object, Filters extends keyof Row & string>(
    table: Table<Row>,
    { by, newestFirst = false as never, filters, unlessAsked = {} }: ListDefinition<Row, Filters>,
  ) {
    const order: SortOrder<Row> = { by, id: table.key, newestFirst };
    return async (caller: Caller, request: PageRequest & Matching<Row, Filters>): Promise<Page<Marked<Row>>> => {
      const rows = leavingOut(this.rows(caller, table), unlessAsked, request);
      const page = await pageOf(matching(rows, filters, request), order, request);
      return { ...page, items: page.items.map((row) => this.mark(table, row)) };
    };
  }
}

function leavingOut<Row extends object, Columns extends keyof Row & string>(
  rows: Select<Row>,
  values: Matching<Row, Columns>,
  wanted: Matching<Row, Columns>,
): Select<Row> {
  const left = (Object.keys(values) as Columns[]).filter((column) => wanted[column] === undefined);
  return left.reduce((found, column) => found.where(column, '!=', values[column] as never), rows);
}

export function matching<Row extends object, Filters extends keyof Row & string>(
  rows: Select<Row>,
  filters: readonly Filters[],
  wanted: Matching<Row, Filters>,
): Select<Row> {
  const given = filters.filter((column) => wanted[column] !== undefined);
  return given.reduce((found, column) => found.where(column, '=', wanted[column] as never), rows);
}
