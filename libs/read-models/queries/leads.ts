import { sql } from 'kysely';
import { z } from 'zod';
import type { Caller } from '#domain/kernel/caller';
import { column } from '../engine/columns.ts';
import { exampleIds } from '../models/examples.ts';
import {
  type DeliveredLeadRow,
  deliveredLeadTable,
  leadPersonTable,
  leadTable,
  stockRow,
  stockTable,
} from '../models/leads.ts';
import { orderTable } from '../models/orders.ts';
import { replacementTable } from '../models/replacements.ts';
import type { RowReader } from './reader.ts';

/** What is in stock of a lead type, and what waits for it. */
export const leadTypeStock = stockRow
  .extend({
    openOrders: column.count().describe('Orders that wait for leads of this type. Paused orders do not wait.'),
    outstandingLeads: column.count().describe('Leads that those orders wait for.'),
    replacementsOwed: column.count().describe('Replacements granted and not delivered yet, for any order (RPL-9).'),
  })
  .meta({ id: 'LeadTypeStock' });
type LeadTypeStock = z.infer<typeof leadTypeStock>;

export const leadTypeStockExample: LeadTypeStock = {
  leadTypeId: exampleIds.leadTypeId,
  leads: 40,
  openPlaces: 95,
  openOrders: 2,
  outstandingLeads: 30,
  replacementsOwed: 1,
};

export const leadRows = (reader: RowReader) => ({
  find: reader.finding(leadTable),

  /** The ids of all leads with one of these telephone numbers or e-mail addresses. */
  async ofPerson(caller: Caller, personKeys: readonly string[]): Promise<readonly string[]> {
    if (personKeys.length === 0) return [];
    const found = reader.rows(caller, leadPersonTable).where('personKey', 'in', personKeys as never);
    return [...new Set((await found.execute()).map(({ leadId }) => leadId as string))].sort();
  },

  /** Who has the lead, and since when. */
  async deliveries(caller: Caller, leadId: string): Promise<readonly DeliveredLeadRow[]> {
    const found = reader.rows(caller, deliveredLeadTable).where('leadId', '=', leadId as never);
    return (await found.orderBy('deliveredAt').execute()) as unknown as DeliveredLeadRow[];
  },

  /** Every lead type that ever had a lead in stock, or has open orders or replacements owed, by its id. */
  async stock(caller: Caller): Promise<readonly LeadTypeStock[]> {
    const stock = reader.sqlFor(caller, stockTable);
    const orders = reader.sqlFor(caller, orderTable);
    const replacements = reader.sqlFor(caller, replacementTable);
    const { rows } = await sql<LeadTypeStock>`
      SELECT lead_type_id, coalesce(leads, 0) AS leads, coalesce(open_places, 0) AS open_places,
        coalesce(open_orders, 0) AS open_orders, coalesce(outstanding_leads, 0) AS outstanding_leads,
        coalesce(replacements_owed, 0) AS replacements_owed
      FROM (SELECT * FROM ${stock.from} WHERE ${stock.visible}) AS stock FULL JOIN (
        SELECT lead_type_id, count(*)::integer AS open_orders,
          sum(ordered_leads - delivered_leads)::integer AS outstanding_leads
        FROM ${orders.from} WHERE status = 'open' AND ${orders.visible} GROUP BY lead_type_id
      ) AS demand USING (lead_type_id) FULL JOIN (
        SELECT lead_type_id, count(*)::integer AS replacements_owed
        FROM ${replacements.from} WHERE status = 'granted' AND ${replacements.visible} GROUP BY lead_type_id
      ) AS debt USING (lead_type_id) ORDER BY lead_type_id COLLATE "C"`.execute(reader.db);
    return rows;
  },
});
