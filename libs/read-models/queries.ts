import { attentionRows } from './queries/attention.ts';
import { couponRows } from './queries/coupons.ts';
import { definedCouponRows } from './queries/defined-coupons.ts';
import { DeliveredLeadRows } from './queries/delivered-leads.ts';
import { leadRows } from './queries/leads.ts';
import { orderRows, programmeRows } from './queries/orders.ts';
import { ownerRows } from './queries/owners.ts';
import type { RowReader } from './queries/reader.ts';
import { receiptRows } from './queries/receipts.ts';
import { disputeRows, refundRows } from './queries/refunds.ts';
import { customerRows, mailRows, replacementRows, ticketRows, webhookRows } from './queries/support.ts';

/** THE list of what can be asked of the read models. The first argument of each query is the caller. */
export const queriesOn = (reader: RowReader) => ({
  customers: customerRows(reader),
  orders: orderRows(reader),
  programmes: programmeRows(reader),
  coupons: couponRows(reader),
  definedCoupons: definedCouponRows(reader),
  refunds: refundRows(reader),
  disputes: disputeRows(reader),
  receipts: receiptRows(reader),
  leads: leadRows(reader),
  deliveredLeads: new DeliveredLeadRows(reader),
  replacements: replacementRows(reader),
  tickets: ticketRows(reader),
  mails: mailRows(reader),
  webhooks: webhookRows(reader),
  attention: attentionRows(reader),
  owners: ownerRows(reader),
});
export type RowQueries = ReturnType<typeof queriesOn>;
