import type { Caller } from '#domain/kernel/caller';
import { customerTable } from '../models/customers.ts';
import { customerStreamTable } from '../models/histories.ts';
import { mailTable } from '../models/mails.ts';
import { replacementTable } from '../models/replacements.ts';
import { ticketTable } from '../models/tickets.ts';
import { webhookTable } from '../models/webhooks.ts';
import type { RowReader } from './reader.ts';

export const customerRows = (reader: RowReader) => ({
  find: reader.finding(customerTable),
  list: reader.listing(customerTable, { by: 'registeredAt', newestFirst: true, filters: ['storeId'] }),

  /** The streams in which something happened to a customer, beside the customer's own and the contact book. */
  async streams(caller: Caller, customerId: string): Promise<readonly string[]> {
    const rows = reader.rows(caller, customerStreamTable).where('customerId', '=', customerId as never);
    return (await rows.orderBy('stream').execute()).map(({ stream }) => stream as string);
  },
});

/** By due date, the earliest first (RPL-5). */
export const replacementRows = (reader: RowReader) => ({
  find: reader.finding(replacementTable),
  list: reader.listing(replacementTable, { by: 'dueAt', filters: ['status', 'storeId', 'customerId'] }),
});

/** By due date, the earliest first (SUP-1). */
export const ticketRows = (reader: RowReader) => ({
  find: reader.finding(ticketTable),
  list: reader.listing(ticketTable, { by: 'dueAt', filters: ['status', 'storeId', 'customerId'] }),
});

export const mailRows = (reader: RowReader) => ({
  find: reader.finding(mailTable),
  /** The ids of the mails to a customer about what happened at an instant. */
  async about(caller: Caller, customerId: string, happenedAt: string): Promise<readonly string[]> {
    const rows = reader.rows(caller, mailTable).where('customerId', '=', customerId as never);
    return (await rows.where('happenedAt', '=', happenedAt as never).execute()).map(({ mailId }) => mailId as string);
  },
  list: reader.listing(mailTable, { by: 'wishedAt', newestFirst: true, filters: ['customerId', 'kind', 'status'] }),
});

export const webhookRows = (reader: RowReader) => ({
  find: reader.finding(webhookTable),
  list: reader.listing(webhookTable, { by: 'deliveredAt', newestFirst: true, filters: ['customerId', 'status'] }),
});
