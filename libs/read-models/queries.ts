import { type RawBuilder, type SelectQueryBuilder, sql } from 'kysely';
import { parseInstant } from '#domain/kernel/instants';
import { LeadgerError } from '#domain/kernel/leadger-error';
import { replacementIdOf } from '#domain/replacements/replacement';
import { type AttentionLimits, type AttentionRow, attention } from './attention.ts';
import { type Db, snake, type Table } from './engine/model.ts';
import { type CustomerRow, customerTable } from './models/customers.ts';
import { customerStreamTable } from './models/histories.ts';
import {
  type DeliveredLeadRow,
  deliveredLeadId,
  deliveredLeadTable,
  type LeadRow,
  leadTable,
  type StockRow,
  stockTable,
} from './models/leads.ts';
import { type MailRow, mailTable } from './models/mails.ts';
import { type OrderRow, orderTable } from './models/orders.ts';
import { type ProgrammeRow, programmeTable, type RenewalRow, renewalTable } from './models/programmes.ts';
import { type ReplacementRow, replacementTable } from './models/replacements.ts';
import { type TicketRow, ticketTable } from './models/tickets.ts';
import { type WebhookRow, webhookTable } from './models/webhooks.ts';

export type {
  AttentionRow,
  CustomerRow,
  DeliveredLeadRow,
  LeadRow,
  MailRow,
  OrderRow,
  ProgrammeRow,
  RenewalRow,
  ReplacementRow,
  StockRow,
  TicketRow,
  WebhookRow,
};

/** A delivered lead with the state of its return, where there is one. */
export interface DeliveredLead extends DeliveredLeadRow {
  readonly replacementId: string;
  readonly replacementStatus: ReplacementRow['status'] | null;
}

/** What there is of a lead type, and what waits for it. */
export interface StockAndDemand extends StockRow {
  readonly openOrders: number;
  /** What open orders still wait for. */
  readonly outstandingLeads: number;
  /** Granted and not delivered yet, for whatever order (RPL-9). */
  readonly replacementsOwed: number;
}

export interface PageRequest {
  /** 1 to {@link LARGEST_PAGE}. */
  readonly limit: number;
  /** Where the page before ended, as it said. */
  readonly cursor?: string;
  /** The column of the list's order, `-` in front for the greatest first; absent: the list's own way. */
  readonly sort?: string;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Absent on the last page. */
  readonly nextCursor?: string;
}

export const LARGEST_PAGE = 200;

/** A cursor that none of our pages gave out. */
export class BadCursor extends LeadgerError {
  constructor() {
    super('bad-cursor', 'this cursor was not given out for this list in this order');
  }
}

/** What back offices ask. Lists are in a stable order, newest first unless said otherwise. */
export class Queries {
  readonly #db: Db;
  /** The schema in which the live copy of a model lies. */
  readonly #schemaOf: (model: string) => string;

  constructor(db: Db, schemaOf: (model: string) => string) {
    this.#db = db;
    this.#schemaOf = schemaOf;
  }

  listOrders(
    request: PageRequest & { storeId?: string; customerId?: string; status?: OrderRow['status']; leadTypeId?: string },
  ): Promise<Page<OrderRow>> {
    const { storeId, customerId, status, leadTypeId } = request;
    const matching = { storeId, customerId, status, leadTypeId };
    return this.#page(
      this.#all('orders', orderTable),
      matching,
      { by: 'placedAt', id: 'orderId', newestFirst: true },
      request,
    );
  }

  findOrder(orderId: string): Promise<OrderRow | undefined> {
    return this.#find('orders', orderTable, orderId);
  }

  listProgrammes(
    request: PageRequest & { customerId?: string; storeId?: string; status?: ProgrammeRow['status'] },
  ): Promise<Page<ProgrammeRow>> {
    const { customerId, storeId, status } = request;
    const order = { by: 'joinedAt', id: 'orderId', newestFirst: true } as const;
    return this.#page(this.#all('programmes', programmeTable), { customerId, storeId, status }, order, request);
  }

  findProgramme(orderId: string): Promise<ProgrammeRow | undefined> {
    return this.#find('programmes', programmeTable, orderId);
  }

  /** In their order. One that is neither announced nor begun is not among them. */
  async renewalsOf(orderId: string): Promise<readonly RenewalRow[]> {
    const rows = this.#all('programmes', renewalTable).where('orderId', '=', orderId as never);
    return (await rows.orderBy('renewalNumber').execute()) as unknown as RenewalRow[];
  }

  async listDeliveredLeads(
    request: PageRequest & { customerId: string; orderId?: string; leadTypeId?: string },
  ): Promise<Page<DeliveredLead>> {
    const { customerId, orderId, leadTypeId } = request;
    const order = { by: 'deliveredAt', id: 'deliveredLeadId', newestFirst: true } as const;
    const page = await this.#page(
      this.#all('leads', deliveredLeadTable),
      { customerId, orderId, leadTypeId },
      order,
      request,
    );
    return { ...page, items: await this.#withReplacements(page.items) };
  }

  /** All of them, or all after a cursor: page by page, so that nothing is held in memory. */
  async *eachDeliveredLead(request: {
    customerId: string;
    orderId?: string;
    leadTypeId?: string;
    cursor?: string;
    sort?: string;
  }): AsyncGenerator<DeliveredLead> {
    let { cursor } = request;
    do {
      const page = await this.listDeliveredLeads({ ...request, limit: LARGEST_PAGE, ...(cursor && { cursor }) });
      yield* page.items;
      cursor = page.nextCursor;
    } while (cursor);
  }

  /** A page of what `pick` makes of them; undefined passes one over. What is sealed can only be searched one by one. */
  async pickDeliveredLeads<Picked>(
    { limit, ...request }: PageRequest & { customerId: string; orderId?: string; leadTypeId?: string },
    pick: (lead: DeliveredLead) => Promise<Picked | undefined>,
  ): Promise<Page<Picked>> {
    const items: Picked[] = [];
    let last: DeliveredLead | undefined;
    for await (const lead of this.eachDeliveredLead(request)) {
      const picked = await pick(lead);
      if (picked === undefined) continue;
      if (last && items.length === limit)
        return { items, nextCursor: cursorAt(request.sort ?? '-deliveredAt', last.deliveredAt, last.deliveredLeadId) };
      items.push(picked);
      last = lead;
    }
    return { items };
  }

  async findDeliveredLead(customerId: string, leadId: string): Promise<DeliveredLead | undefined> {
    const row = await this.#find('leads', deliveredLeadTable, deliveredLeadId(customerId, leadId));
    return row && (await this.#withReplacements([row]))[0];
  }

  /** By due date, the earliest first (RPL-5). */
  listReplacements(
    request: PageRequest & { status?: ReplacementRow['status']; storeId?: string; customerId?: string },
  ): Promise<Page<ReplacementRow>> {
    const { status, storeId, customerId } = request;
    const order = { by: 'verifyBy', id: 'replacementId', newestFirst: false } as const;
    return this.#page(this.#all('replacements', replacementTable), { status, storeId, customerId }, order, request);
  }

  findReplacement(replacementId: string): Promise<ReplacementRow | undefined> {
    return this.#find('replacements', replacementTable, replacementId);
  }

  /** By due date, the earliest first (SUP-1). */
  listTickets(
    request: PageRequest & { status?: TicketRow['status']; storeId?: string; customerId?: string },
  ): Promise<Page<TicketRow>> {
    const { status, storeId, customerId } = request;
    const order = { by: 'dueAt', id: 'ticketId', newestFirst: false } as const;
    return this.#page(this.#all('tickets', ticketTable), { status, storeId, customerId }, order, request);
  }

  findTicket(ticketId: string): Promise<TicketRow | undefined> {
    return this.#find('tickets', ticketTable, ticketId);
  }

  /** Orders that somebody should look at, what has waited longest first. */
  listAttention(
    request: PageRequest & AttentionLimits & { reason?: AttentionRow['reason']; storeId?: string },
  ): Promise<Page<AttentionRow>> {
    const { reason, storeId } = request;
    const order = { by: 'since', id: 'attentionId', newestFirst: false } as const;
    const all = this.#db.selectFrom(attention(this.#schemaOf, request).as('attention')).selectAll();
    return this.#page(all as never, { reason, storeId }, order, request);
  }

  /** Every lead type of which there ever was a lead or a wish, by its id. */
  async stock(): Promise<readonly StockAndDemand[]> {
    const tableOf = (model: string, { name }: { name: string }) => sql.table(`${this.#schemaOf(model)}.${name}`);
    const { rows } = await sql<StockAndDemand>`
      SELECT lead_type_id, coalesce(leads, 0) AS leads, coalesce(open_places, 0) AS open_places,
        coalesce(open_orders, 0) AS open_orders, coalesce(outstanding_leads, 0) AS outstanding_leads,
        coalesce(replacements_owed, 0) AS replacements_owed
      FROM ${tableOf('leads', stockTable)} FULL JOIN (
        SELECT lead_type_id, count(*)::integer AS open_orders,
          sum(ordered_leads - delivered_leads)::integer AS outstanding_leads
        FROM ${tableOf('orders', orderTable)} WHERE status = 'open' GROUP BY lead_type_id
      ) AS demand USING (lead_type_id) FULL JOIN (
        SELECT lead_type_id, count(*)::integer AS replacements_owed
        FROM ${tableOf('replacements', replacementTable)} WHERE status = 'granted' GROUP BY lead_type_id
      ) AS debt USING (lead_type_id) ORDER BY lead_type_id COLLATE "C"`.execute(this.#db);
    return rows;
  }

  findLead(leadId: string): Promise<LeadRow | undefined> {
    return this.#find('leads', leadTable, leadId);
  }

  listMails(
    request: PageRequest & { customerId?: string; kind?: MailRow['kind']; status?: MailRow['status'] },
  ): Promise<Page<MailRow>> {
    const { customerId, kind, status } = request;
    const order = { by: 'wishedAt', id: 'mailId', newestFirst: true } as const;
    return this.#page(this.#all('mails', mailTable), { customerId, kind, status }, order, request);
  }

  listWebhooks(
    request: PageRequest & { customerId?: string; status?: WebhookRow['status'] },
  ): Promise<Page<WebhookRow>> {
    const { customerId, status } = request;
    const order = { by: 'deliveredAt', id: 'webhookId', newestFirst: true } as const;
    return this.#page(this.#all('webhooks', webhookTable), { customerId, status }, order, request);
  }

  findWebhook(webhookId: string): Promise<WebhookRow | undefined> {
    return this.#find('webhooks', webhookTable, webhookId);
  }

  findMail(mailId: string): Promise<MailRow | undefined> {
    return this.#find('mails', mailTable, mailId);
  }

  listCustomers(request: PageRequest & { storeId?: string }): Promise<Page<CustomerRow>> {
    const order = { by: 'registeredAt', id: 'customerId', newestFirst: true } as const;
    return this.#page(this.#all('customers', customerTable), { storeId: request.storeId }, order, request);
  }

  findCustomer(customerId: string): Promise<CustomerRow | undefined> {
    return this.#find('customers', customerTable, customerId);
  }

  /** The streams in which something happened to a customer, beside the customer's own and the contact book. */
  async streamsOf(customerId: string): Promise<readonly string[]> {
    const rows = await this.#all('histories', customerStreamTable)
      .where('customerId', '=', customerId as never)
      .orderBy('stream')
      .execute();
    return rows.map(({ stream }) => stream);
  }

  // biome-ignore lint/suspicious/noExplicitAny: the rows' types are told by the tables
  #all<Row extends object>(model: string, { name }: Table<Row>): SelectQueryBuilder<any, string, Row> {
    return this.#db.selectFrom(`${this.#schemaOf(model)}.${name}`).selectAll() as never;
  }

  async #find<Row extends object>(model: string, table: Table<Row>, key: string): Promise<Row | undefined> {
    return (await this.#all(model, table)
      .where(table.key, '=', key as never)
      .executeTakeFirst()) as Row | undefined;
  }

  async #page<Row extends object>(
    // biome-ignore lint/suspicious/noExplicitAny: as above
    all: SelectQueryBuilder<any, string, Row>,
    matching: Readonly<Record<string, string | undefined>>,
    order: { readonly by: keyof Row & string; readonly id: keyof Row & string; readonly newestFirst: boolean },
    { limit, cursor, sort = `${order.newestFirst ? '-' : ''}${order.by}` }: PageRequest,
  ): Promise<Page<Row>> {
    const direction = sort.startsWith('-') ? 'desc' : 'asc';
    let query = all
      .orderBy(order.by, direction)
      .orderBy(order.id, direction)
      .limit(limit + 1);
    for (const [column, value] of Object.entries(matching))
      if (value !== undefined) query = query.where(column, '=', value);
    if (cursor !== undefined) query = query.where(afterCursor(order, sort, cursor));
    const rows = (await query.execute()) as unknown as Row[];
    if (rows.length <= limit) return { items: rows };
    const items = rows.slice(0, limit);
    const last = items.at(-1) as Row;
    return { items, nextCursor: cursorAt(sort, last[order.by], last[order.id]) };
  }

  /** One more query instead of a join: the two models may stand at different positions, and each is whole by itself. */
  async #withReplacements(rows: readonly DeliveredLeadRow[]): Promise<DeliveredLead[]> {
    const ids = rows.map(({ orderId, leadId }) => replacementIdOf(orderId, leadId));
    if (ids.length === 0) return [];
    const found = await this.#all('replacements', replacementTable).where('replacementId', 'in', ids).execute();
    const statusById = new Map((found as unknown as ReplacementRow[]).map((row) => [row.replacementId, row.status]));
    return rows.map((row, index) => {
      const replacementId = ids[index] as string;
      return { ...row, replacementId, replacementStatus: statusById.get(replacementId) ?? null };
    });
  }
}

/** A cursor is good for the order it was given out in. */
const cursorAt = (sort: string, by: unknown, id: unknown): string =>
  Buffer.from(JSON.stringify([sort, by, id])).toString('base64url');

function afterCursor({ by, id }: { by: string; id: string }, sort: string, cursor: string): RawBuilder<boolean> {
  const [at, key] = parseCursor(cursor, sort);
  const place = sql`(${sql.ref(snake(by))}, ${sql.ref(snake(id))})`;
  return sql<boolean>`${place} ${sql.raw(sort.startsWith('-') ? '<' : '>')} (${at}::timestamptz, ${key})`;
}

function parseCursor(cursor: string, sort: string): [at: string, key: string] {
  try {
    const [sorted, at, key] = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (sorted === sort && isOurs(at, key)) return [at, key];
  } catch {
    // Not ours: said below.
  }
  throw new BadCursor();
}

/** JavaScript takes more for an instant than the database does, which has no text with NUL either. */
const isOurs = (at: unknown, key: unknown): boolean =>
  typeof at === 'string' && parseInstant(at) === at && typeof key === 'string' && !key.includes('\0');
