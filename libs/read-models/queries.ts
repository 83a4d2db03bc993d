import { attentionQueries } from './queries/attention.ts';
import { DeliveredLeadQueries } from './queries/delivered-leads.ts';
import { leadQueries } from './queries/leads.ts';
import { orderQueries, programmeQueries } from './queries/orders.ts';
import type { RowReader } from './queries/reader.ts';
import { customerQueries, mailQueries, replacementQueries, ticketQueries, webhookQueries } from './queries/support.ts';

/** THE list of what can be asked of the read models. The first argument of each query is the caller. */
export const queriesOn = (reader: RowReader) => ({
  customers: customerQueries(reader),
  orders: orderQueries(reader),
  programmes: programmeQueries(reader),
  leads: leadQueries(reader),
  deliveredLeads: new DeliveredLeadQueries(reader),
  replacements: replacementQueries(reader),
  tickets: ticketQueries(reader),
  mails: mailQueries(reader),
  webhooks: webhookQueries(reader),
  attention: attentionQueries(reader),
});
export type RowQueries = ReturnType<typeof queriesOn>;
