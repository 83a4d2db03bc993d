import { z } from 'zod';
import { type FactOf, idOf } from '#domain/codec';
import { sealed } from '#domain/kernel/events';
import { column } from '../engine/columns.ts';
import { model, table } from '../engine/model.ts';
import type { Rows } from '../engine/rows.ts';
import { customerTable } from './customers.ts';

/** A stream in which something happened to a customer. */
const customerStreamRow = z.object({
  customerStreamId: column
    .id()
    .describe('Customer and stream: a coupon has many customers, an address one after another.'),
  customerId: column.id().describe('Id of the customer.'),
  stream: column.id().describe('Name of the stream.'),
});

export const customerStreamTable = table(customerStreamRow, {
  name: 'customer_streams',
  key: 'customerStreamId',
  belongsTo: { customer: 'customerId', sameAs: customerTable },
  indexes: ['customer_id, stream'],
});

/** The events about a customer in a stream that is too long to be read for one of them: the receipts of a store. */
const customerReceiptRow = z.object({
  customerReceiptId: column.id().describe('Stream and place of the event.'),
  customerId: column.id().describe('Id of the customer.'),
  stream: column.id().describe('Name of the stream.'),
  place: column.count().describe('The revision of the event.'),
});

export const customerReceiptTable = table(customerReceiptRow, {
  name: 'customer_receipts',
  key: 'customerReceiptId',
  belongsTo: { customer: 'customerId', sameAs: customerTable },
  indexes: ['customer_id, stream, place'],
});

const newAddressRow = z.object({
  customerId: column.id().describe('Id of the customer.'),
  addressKey: column
    .text()
    .nullable()
    .describe('Keyed hash of the e-mail address that waits to be confirmed. Null: none waits any more.'),
});

/** Who asked for which new e-mail address. An address of an account has a stream of its own only once it is confirmed. */
export const newAddressTable = table(newAddressRow, {
  name: 'new_addresses',
  key: 'customerId',
  belongsTo: { customer: 'customerId', sameAs: customerTable },
  indexes: ['address_key'],
});

const callBackRow = z.object({
  ticketId: column.id().describe('Id of the ticket.'),
  customerId: column.id().describe('Id of the customer who wrote it.'),
  telephone: column.json(sealed).describe('Telephone number to call back.'),
  telephoneKey: column.text().nullable().describe('Keyed hash of that number. Null: an older version took the ticket.'),
});

/** At which telephone numbers customers asked to be called back. */
export const callBackTable = table(callBackRow, {
  name: 'call_backs',
  key: 'ticketId',
  belongsTo: { customer: 'customerId', sameAs: customerTable },
  indexes: ['telephone_key', 'customer_id'],
});
export type CallBackRow = z.infer<typeof callBackRow>;

type OfACustomer = { readonly stream: string; readonly data: { readonly customerId: string } };

const note = (rows: Rows, { stream, data: { customerId } }: OfACustomer): void =>
  rows.put(customerStreamTable, { customerStreamId: `${customerId} ${stream}`, customerId, stream });

function noteTicket(rows: Rows, fact: FactOf<'TicketOpened'>): void {
  note(rows, fact);
  const { customerId, callBackTelephone: telephone, telephoneKey = null } = fact.data;
  if (telephone) rows.put(callBackTable, { ticketId: idOf(fact.stream), customerId, telephone, telephoneKey });
}

/** Where to read what happened to a customer (SUP-2), beside the customer's own stream and contact book, and of whom. */
export const histories = model({
  name: 'histories',
  tables: [customerStreamTable, customerReceiptTable, newAddressTable, callBackTable],
  keysOf: () => [],
  on: {
    AddressClaimed: note,
    CheckoutStarted: note,
    CouponUsed: note,
    CouponRefused: note,
    AlternativeCouponGiven: note,
    OrderPlaced: note,
    OrderCouponReplaced: note,
    ProgrammeJoined: note,
    ReplacementRequested: note,
    TicketOpened: noteTicket,
    LetterSetAside: note,
    LetterAdmitted: note,
    MailWished: note,
    WebhookWished: note,
    ReceiptIssued: (rows, { stream, revision: place, data: { customerId } }) =>
      rows.put(customerReceiptTable, { customerReceiptId: `${stream} ${place}`, customerId, stream, place }),
    EmailChangeRequested: (rows, { stream, data: { addressKey } }) =>
      rows.put(newAddressTable, { customerId: idOf(stream), addressKey }),
    EmailChanged: (rows, { stream }) => rows.put(newAddressTable, { customerId: idOf(stream), addressKey: null }),
  },
});
