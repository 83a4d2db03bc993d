import { type Model, table } from '../engine/model.ts';

/** A stream in which something happened to a customer. */
export interface CustomerStreamRow {
  /** Customer and stream: a coupon's is many customers', an address's one after another's. */
  readonly customerStreamId: string;
  readonly customerId: string;
  readonly stream: string;
}

export const customerStreamTable = table<CustomerStreamRow>({
  name: 'customer_streams',
  key: 'customerStreamId',
  columns: { customerStreamId: 'text', customerId: 'text', stream: 'text' },
  indexes: ['customer_id, stream'],
});

/** With each of these a stream becomes a part of a customer's history. */
const eventTypes = [
  'AddressClaimed',
  'CheckoutStarted',
  'CouponUsed',
  'CouponRefused',
  'AlternativeCouponGiven',
  'OrderPlaced',
  'ProgrammeJoined',
  'ReplacementRequested',
  'TicketOpened',
  'MailWished',
  'WebhookWished',
] as const;

const keyOf = (customerId: string, stream: string): string => `${customerId} ${stream}`;

/** Where to read what happened to a customer (SUP-2), beside the customer's own stream and contact book. */
export const histories: Model<(typeof eventTypes)[number]> = {
  name: 'histories',
  version: 1,
  tables: [customerStreamTable],
  eventTypes,
  keysOf: () => [],

  evolve(rows, { stream, data: { customerId } }) {
    rows.put(customerStreamTable, { customerStreamId: keyOf(customerId, stream), customerId, stream });
  },
};
