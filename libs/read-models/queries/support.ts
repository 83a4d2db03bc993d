import type { Caller } from '#domain/kernel/caller';
import { customerTable } from '../models/customers.ts';
import {
  type CallBackRow,
  callBackTable,
  customerReceiptTable,
  customerStreamTable,
  newAddressTable,
} from '../models/histories.ts';
import { mailTable } from '../models/mails.ts';
import { replacementTable } from '../models/replacements.ts';
import { ticketTable } from '../models/tickets.ts';
import { webhookTable } from '../models/webhooks.ts';
import type { RowReader } from './reader.ts';

export const customerListing = { by: 'registeredAt', newestFirst: true, filters: ['storeId'] } as const;

export const customerRows = (reader: RowReader) => ({
  find: reader.finding(customerTable),
  list: reader.listing(customerTable, customerListing),

  /** The streams in which something happened to a customer, beside the customer's own and the contact book. */
  async streams(caller: Caller, customerId: string): Promise<readonly string[]> {
    const rows = reader.rows(caller, customerStreamTable).where('customerId', '=', customerId as never);
    return (await rows.orderBy('stream').execute()).map(({ stream }) => stream as string);
  },

  /** Where the customer's receipts are, among those of others. */
  async receipts(
    caller: Caller,
    customerId: string,
  ): Promise<readonly { readonly stream: string; readonly place: number }[]> {
    const rows = reader.rows(caller, customerReceiptTable).where('customerId', '=', customerId as never);
    const found = await rows.orderBy('stream').orderBy('place').execute();
    return found.map(({ stream, place }) => ({ stream: stream as string, place: place as number }));
  },

  /** The ids of the customers who wait to confirm an e-mail address. */
  async waitingFor(caller: Caller, addressKey: string): Promise<readonly string[]> {
    const rows = reader.rows(caller, newAddressTable).where('addressKey', '=', addressKey as never);
    return (await rows.orderBy('customerId').execute()).map(({ customerId }) => customerId as string);
  },

  /** Where the customer asked to be called back. */
  callBacks: (caller: Caller, customerId: string): Promise<readonly CallBackRow[]> =>
    reader
      .rows(caller, callBackTable)
      .where('customerId', '=', customerId as never)
      .orderBy('ticketId')
      .execute(),

  /** Who asked to be called back at one of these numbers, and all of whose numbers no hash is known. */
  async callBacksTo(caller: Caller, personKeys: readonly string[]): Promise<readonly CallBackRow[]> {
    if (personKeys.length === 0) return [];
    const found = reader
      .rows(caller, callBackTable)
      .where(({ eb, or }) =>
        or([eb('telephoneKey', 'in', personKeys as never), eb('telephoneKey', 'is', null as never)]),
      );
    return found.orderBy('ticketId').execute();
  },
});

export const replacementListing = { by: 'dueAt', filters: ['status', 'storeId', 'customerId'] } as const;

/** By due date, the earliest first (RPL-5). */
export const replacementRows = (reader: RowReader) => ({
  find: reader.finding(replacementTable),
  list: reader.listing(replacementTable, replacementListing),
});

export const ticketListing = {
  by: 'dueAt',
  filters: ['status', 'storeId', 'customerId'],
  unlessAsked: { status: 'set-aside' },
} as const;

/** By due date, the earliest first (SUP-1). Mails that are set aside are no part of the queue (SUP-3). */
export const ticketRows = (reader: RowReader) => ({
  find: reader.finding(ticketTable),
  list: reader.listing(ticketTable, ticketListing),
});

export const mailListing = { by: 'wishedAt', newestFirst: true, filters: ['customerId', 'kind', 'status'] } as const;

export const mailRows = (reader: RowReader) => ({
  find: reader.finding(mailTable),
  list: reader.listing(mailTable, mailListing),
});

export const webhookListing = { by: 'deliveredAt', newestFirst: true, filters: ['customerId', 'status'] } as const;

export const webhookRows = (reader: RowReader) => ({
  find: reader.finding(webhookTable),
  list: reader.listing(webhookTable, webhookListing),
});
