import type { Caller } from '#domain/kernel/caller';
import type { FamilyName } from '#domain/ledger';
import { customerTable } from '../models/customers.ts';
import { orderTable } from '../models/orders.ts';
import { programmeTable } from '../models/programmes.ts';
import { replacementTable } from '../models/replacements.ts';
import { ticketTable } from '../models/tickets.ts';
import type { RowReader } from './reader.ts';

interface OwnedRow {
  readonly id: string;
  readonly customerId: string;
  readonly storeId: string;
}

/** The tables that say whose the streams of a family are. */
const owned = {
  customer: customerTable,
  order: orderTable,
  programme: programmeTable,
  replacement: replacementTable,
  ticket: ticketTable,
} satisfies Partial<Record<FamilyName, object>>;

const isOwned = (family: FamilyName): family is keyof typeof owned => Object.hasOwn(owned, family);

export const ownerRows = (reader: RowReader) => ({
  /** The owners of streams of one family, by their ids. A stream that has no row yet is left out. */
  async ofFamily(caller: Caller, family: FamilyName, ids: readonly string[]): Promise<readonly OwnedRow[]> {
    if (!isOwned(family)) return [];
    const { [family]: table } = owned;
    const found = reader.rows<Record<string, unknown>>(caller, table as never).where(table.key, 'in', ids as never);
    const rows = await found.clearSelect().select([table.key, 'customerId', 'storeId']).execute();
    return rows.map((row) => ({ id: row[table.key], customerId: row.customerId, storeId: row.storeId }) as OwnedRow);
  },
});
