import { type RawBuilder, sql } from 'kysely';
import { type Caller, scopeOf } from '#domain/kernel/caller';
import { type AnyTable, type Ownership, snake } from '../engine/model.ts';

type Condition = RawBuilder<boolean>;

/** What the rows say of their owner, and by which column another table's rows with the same owner are found. */
export interface Owned {
  // biome-ignore lint/suspicious/noExplicitAny: tables with different rows are checked alike
  readonly belongsTo: Ownership<any>;
}

const NOTHING: Condition = sql<boolean>`FALSE`;

/**
 * The rows in the scope of a caller, as a condition for a WHERE: a customer sees the customer's own rows, staff those of
 * their stores. Rows without an owner are seen only by callers who may see all rows.
 * @param nameOf the qualified name of a table
 * @returns undefined for a caller who may see all rows
 */
export function visibleTo(caller: Caller, owned: Owned, nameOf: (table: AnyTable) => string): Condition | undefined {
  const scope = scopeOf(caller);
  if (scope === 'all') return undefined;
  if (scope === 'nothing') return NOTHING;
  if ('customerId' in scope) return ownedBy('customer', [scope.customerId], owned, nameOf);
  return ownedBy('store', scope.stores, owned, nameOf);
}

function ownedBy(
  owner: 'customer' | 'store',
  ids: readonly string[],
  { belongsTo }: Owned,
  nameOf: (table: AnyTable) => string,
): Condition {
  const { [owner]: column, stores, sameAs } = belongsTo;
  if (ids.length === 0) return NOTHING;
  if (owner === 'store' && stores !== undefined)
    return sql<boolean>`jsonb_exists_any(${sql.ref(snake(stores))}, ARRAY[${sql.join(ids)}]::text[])`;
  if (column !== undefined) return sql<boolean>`${sql.ref(snake(column))} IN (${sql.join(ids)})`;
  if (!sameAs) return NOTHING;
  const id = sql.ref(snake(sameAs.key));
  const theirs = ownedBy(owner, ids, sameAs, nameOf);
  return sql<boolean>`${id} IN (SELECT ${id} FROM ${sql.table(nameOf(sameAs))} WHERE ${theirs})`;
}
