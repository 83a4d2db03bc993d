import { z } from 'zod';
import type { Caller } from '#domain/kernel/caller';
import { sealed } from '#domain/kernel/events';
import { replacementIdOf, replacementStatuses } from '#domain/replacements/replacement';
import { column } from '../engine/columns.ts';
import { exampleBox, exampleIds } from '../models/examples.ts';
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

/** A delivered lead with its person and the state of its return. */
export const deliveredLead = deliveredLeadRow.extend({
  contact: column.json(sealed).nullable().describe('The person. Null where the lead itself cannot be shown.'),
  consent: column
    .json(sealed)
    .nullable()
    .describe('Evidence that the person agreed to be contacted (DLV-12). Null: the source gave none.'),
  replacementId: column.id().describe('Id that a return of this lead has, or would have.'),
  replacementStatus: column.oneOf(replacementStatuses).nullable().describe('State of its return. Null: no return.'),
  damaged,
});
export type DeliveredLead = z.infer<typeof deliveredLead>;

export const deliveredLeadWithReturnExample: DeliveredLead = {
  ...deliveredLeadExample,
  contact: exampleBox,
  consent: exampleBox,
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

  /** Other queries instead of a join: the models may be at different positions, and each is consistent by itself. */
  async #whole(caller: Caller, rows: readonly Marked<DeliveredLeadRow>[]): Promise<DeliveredLead[]> {
    if (rows.length === 0) return [];
    const [persons, statuses] = await Promise.all([this.#personsOf(rows), this.#returnsOf(caller, rows)]);
    return rows.map((row) => {
      const replacementId = replacementOf(row);
      const replacementStatus = statuses.get(replacementId) ?? null;
      return { ...row, ...(persons.get(row.leadId) ?? noPerson), replacementId, replacementStatus };
    });
  }

  /** Whoever sees a delivery may see its person. No customer sees the rows of leads, so the caller is not asked for again. */
  async #personsOf(rows: readonly DeliveredLeadRow[]): Promise<ReadonlyMap<string, PersonOfLead>> {
    const ids = rows.map(({ leadId }) => leadId);
    const found = await this.#reader.allRows(leadTable).where('leadId', 'in', ids).execute();
    return new Map(
      found.map(({ leadId, contact, consent }) => [leadId as string, { contact, consent } as PersonOfLead]),
    );
  }

  async #returnsOf(caller: Caller, rows: readonly DeliveredLeadRow[]): Promise<ReadonlyMap<string, ReturnStatus>> {
    const ids = rows.map(replacementOf);
    const found = await this.#reader.rows(caller, replacementTable).where('replacementId', 'in', ids).execute();
    return new Map(found.map((row) => [row.replacementId as string, row.status as ReturnStatus]));
  }
}

type PersonOfLead = Pick<DeliveredLead, 'contact' | 'consent'>;
const noPerson: PersonOfLead = { contact: null, consent: null };

type ReturnStatus = NonNullable<DeliveredLead['replacementStatus']>;

const replacementOf = ({ orderId, leadId }: DeliveredLeadRow): string => replacementIdOf(orderId, leadId);
