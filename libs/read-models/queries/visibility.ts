import { type RawBuilder, sql } from 'kysely';
import { type Caller, customerOf } from '#domain/kernel/caller';
import { type AnyTable, type Ownership, snake } from '../engine/model.ts';

type Condition = RawBuilder<boolean>;

/** What the rows say of their owner, and by which column another table's rows with the same owner are found. */
export interface Owned {
  // biome-ignore lint/suspicious/noExplicitAny: tables with different rows are checked alike
  readonly belongsTo: Ownership<any>;
}

const NOTHING: Condition = sql<boolean>`FALSE`;

/**
 * The rows that a caller may see, as a condition for a WHERE: a customer sees the customer's own rows, staff those of
 * their stores. Rows that do not say whose they are, such a caller does not see.
 * @param nameOf the qualified name of a table
 * @returns undefined for a caller who may see all rows
 */
export function visibleTo(caller: Caller, owned: Owned, nameOf: (table: AnyTable) => string): Condition | undefined {
  const customerId = customerOf(caller);
  if (customerId !== undefined) return ownedBy('customer', [customerId], owned, nameOf);
  if (caller.stores === 'all') return undefined;
  return ownedBy('store', caller.stores, owned, nameOf);
}

function ownedBy(
  owner: 'customer' | 'store',
  ids: readonly string[],
  { belongsTo }: Owned,
  nameOf: (table: AnyTable) => string,
): Condition {
  const { [owner]: column, sameAs } = belongsTo;
  if (ids.length === 0) return NOTHING;
  if (column !== undefined) return sql<boolean>`${sql.ref(snake(column))} IN (${sql.join(ids)})`;
  if (!sameAs) return NOTHING;
  const id = sql.ref(snake(sameAs.key));
  const theirs = ownedBy(owner, ids, sameAs, nameOf);
  return sql<boolean>`${id} IN (SELECT ${id} FROM ${sql.table(nameOf(sameAs))} WHERE ${theirs})`;
}
