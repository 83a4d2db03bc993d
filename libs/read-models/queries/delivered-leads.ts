import { z } from 'zod';
import type { Caller } from '#domain/kernel/caller';
import { replacementIdOf, replacementStatuses } from '#domain/replacements/replacement';
import { column } from '../engine/columns.ts';
import { exampleIds } from '../models/examples.ts';
import {
  type DeliveredLeadRow,
  deliveredLeadExample,
  deliveredLeadId,
  deliveredLeadRow,
  deliveredLeadTable,
  leadTable,
} from '../models/leads.ts';
import { replacementTable } from '../models/replacements.ts';
import { damaged, type Marked } from './damaged.ts';
import { cursorAt, LARGEST_PAGE, type Page, type PageRequest } from './paging.ts';
import type { RowReader } from './reader.ts';

/** A delivered lead with the state of its return. */
export const deliveredLead = deliveredLeadRow.extend({
  replacementId: column.id().describe('Id that a return of this lead has, or would have.'),
  replacementStatus: column.oneOf(replacementStatuses).nullable().describe('State of its return. Null: no return.'),
  damaged,
});
export type DeliveredLead = z.infer<typeof deliveredLead>;

export const deliveredLeadWithReturnExample: DeliveredLead = {
  ...deliveredLeadExample,
  replacementId: exampleIds.replacementId,
  replacementStatus: null,
  damaged: false,
};

/** Whose leads, and which of them. */
interface Which {
  readonly customerId: string;
  readonly orderId?: string | undefined;
  readonly leadTypeId?: string | undefined;
}

type EachRequest = Which & Omit<PageRequest, 'limit'>;

export const deliveredLeadListing = {
  by: 'deliveredAt',
  newestFirst: true,
  filters: ['customerId', 'orderId', 'leadTypeId'],
} as const;

/** The leads that customers were given, the newest first. */
export class DeliveredLeadRows {
  readonly #reader: RowReader;
  readonly #listRows: (caller: Caller, request: PageRequest & Which) => Promise<Page<Marked<DeliveredLeadRow>>>;
  readonly #findRow: (caller: Caller, id: string) => Promise<Marked<DeliveredLeadRow> | undefined>;

  constructor(reader: RowReader) {
    this.#reader = reader;
    this.#findRow = reader.finding(deliveredLeadTable);
    this.#listRows = reader.listing(deliveredLeadTable, deliveredLeadListing);
  }

  async find(caller: Caller, customerId: string, leadId: string): Promise<DeliveredLead | undefined> {
    const row = await this.#findRow(caller, deliveredLeadId(customerId, leadId));
    return row && (await this.#whole(caller, [row]))[0];
  }

  async list(caller: Caller, request: PageRequest & Which): Promise<Page<DeliveredLead>> {
    const page = await this.#listRows(caller, request);
    return { ...page, items: await this.#whole(caller, page.items) };
  }

  /** All of them, or all after a cursor: page by page, so that only one page is in memory. */
  async *each(caller: Caller, request: EachRequest): AsyncGenerator<DeliveredLead> {
    let { cursor } = request;
    do {
      const page = await this.list(caller, { ...request, limit: LARGEST_PAGE, ...(cursor && { cursor }) });
      yield* page.items;
      cursor = page.nextCursor;
    } while (cursor);
  }

  /** A page of the results of `pick`, which skips a lead by returning undefined. Sealed data can only be searched this way. */
  async pick<Picked>(
    caller: Caller,
    { limit, ...request }: PageRequest & Which,
    pick: (lead: DeliveredLead) => Promise<Picked | undefined>,
  ): Promise<Page<Picked>> {
    const items: Picked[] = [];
    let last: DeliveredLead | undefined;
    for await (const lead of this.each(caller, request)) {
      const picked = await pick(lead);
      if (picked === undefined) continue;
      if (last && items.length === limit)
        return { items, nextCursor: cursorAt(request.sort ?? '-deliveredAt', last.deliveredAt, last.deliveredLeadId) };
      items.push(picked);
      last = lead;
    }
    return { items };
  }

  async #whole(caller: Caller, rows: readonly Marked<DeliveredLeadRow>[]): Promise<DeliveredLead[]> {
    return this.#withReplacements(caller, await this.#withContacts(rows));
  }

  /**
   * A delivery that was shown before its lead could be. Whoever sees the delivery may see its person, but no customer sees the
   * rows of leads: so the caller is not asked for again.
   */
  async #withContacts(rows: readonly Marked<DeliveredLeadRow>[]): Promise<readonly Marked<DeliveredLeadRow>[]> {
    const ids = rows.flatMap(({ contact, leadId }) => (contact === null ? [leadId] : []));
    if (ids.length === 0) return rows;
    const found = await this.#reader.allRows(leadTable).where('leadId', 'in', ids).execute();
    const contactById = new Map(found.map(({ leadId, contact }) => [leadId as string, contact]));
    return rows.map((row) => ({ ...row, contact: row.contact ?? contactById.get(row.leadId) ?? null }));
  }

  /** Another query instead of a join: the two models may be at different positions, and each is consistent by itself. */
  async #withReplacements(caller: Caller, rows: readonly Marked<DeliveredLeadRow>[]): Promise<DeliveredLead[]> {
    const ids = rows.map(({ orderId, leadId }) => replacementIdOf(orderId, leadId));
    if (ids.length === 0) return [];
    const found = await this.#reader.rows(caller, replacementTable).where('replacementId', 'in', ids).execute();
    const statusById = new Map(found.map((row) => [row.replacementId as string, row.status as never]));
    return rows.map((row, index) => {
      const replacementId = ids[index] as string;
      return { ...row, replacementId, replacementStatus: statusById.get(replacementId) ?? null };
    });
  }
}
