import { z } from 'zod';
import { type FactOf, idOf } from '#domain/codec';
import { declineReasons } from '#domain/kernel/declines';
import { isTimeZone } from '#domain/kernel/local-days';
import { type OrderStatus, orderStatuses } from '#domain/orders/order';
import { addedLeads, standingAfter } from '#domain/orders/standing';
import { column } from '../engine/columns.ts';
import { modelOfStreams, type RowOfStream, table } from '../engine/model.ts';
import { exampleIds } from './examples.ts';

export const orderRow = z.object({
  orderId: column.id().describe('Id of the order.'),
  customerId: column.id().describe('Customer who ordered.'),
  storeId: column.id().describe('Store that sold it.'),
  leadTypeId: column.id().describe('Lead type that was ordered.'),
  status: column.oneOf(orderStatuses).describe('State of the order (ORD-1).'),
  quantity: column.count().describe('Leads of the first order, without bonus.'),
  bonusLeads: column.count().describe('Bonus leads of the first order.'),
  orderedLeads: column.count().describe('Leads and bonus leads of the first order and all its renewals.'),
  renewals: column.count().describe('How often Loyalty Rewards re-opened it (LOY-2).'),
  loyaltyCadence: column
    .text()
    .nullable()
    .describe('How often Loyalty Rewards renews it. Null: it does not take part; see /api/programmes.'),
  dailyMaximum: column
    .count()
    .nullable()
    .describe('Leads that it takes in a local day at most. Null for batch types (CHK-3).'),
  timeZone: column.text().describe("IANA time zone in which the order's days begin."),
  pricePerLeadCents: column.cents().describe('Price of one lead, in minor units of the currency.'),
  totalCents: column.cents().describe('Price of the first order after its discount, in minor units of the currency.'),
  currency: column.text().describe('Currency of the prices (ISO 4217).'),
  statementDescriptor: column.text().describe('What the card statement shows (STO-2).'),
  policyVersion: column.count().describe('Version of the policy that was in force when it was placed.'),
  deliveredLeads: column.count().describe('Leads delivered, without replacements (ORD-6).'),
  replacementsOwed: column.count().describe('Replacements granted and not delivered yet.'),
  replacementsDelivered: column.count().describe('Replacements delivered.'),
  placedAt: column.instant().describe('When it was placed.'),
  paidAt: column.instant().nullable().describe('When its payment was captured. Null: not yet, or never.'),
  pausedAt: column.instant().nullable().describe('Since when it is paused. Null: it is not paused.'),
  restartsAt: column
    .instant()
    .nullable()
    .describe('When it restarts automatically. Null: it is not paused, or waits for the customer (ORD-3).'),
  lastDeliveredAt: column.instant().nullable().describe('When a lead was delivered last. Null: never.'),
  waitingSince: column
    .instant()
    .nullable()
    .describe(
      'The last delivery, or when it was opened last; after a declined payment, the decline. Null until the payment is decided.',
    ),
  closedAt: column
    .instant()
    .nullable()
    .describe('When it was filled or cancelled, or its payment failed. Null: it is not closed.'),
  declineReason: column.oneOf(declineReasons).nullable().describe('Why the payment was declined. Null: it was not.'),
  paymentUnknownSince: column
    .instant()
    .nullable()
    .describe(
      'Since when nobody knows whether a charge was captured: its customer was erased before the provider answered. Null: all is known.',
    ),
  timeZoneUnknownSince: column
    .instant()
    .nullable()
    .describe(
      'Since when its time zone is one that is not known, so that it can receive nothing (DLV-5): an older version took it, and support corrects it. Null: it is known.',
    ),
  refundedCents: column
    .cents()
    .describe('What was given back of all its payments, in minor units of the currency (CHK-6).'),
  refundsUnderWayCents: column
    .cents()
    .describe('What is to be given back and is not yet, in minor units of the currency; see /api/refunds. 0: nothing.'),
  maximumReachedOn: column
    .localDay()
    .nullable()
    .describe('The last local day on which the daily maximum was reached. Null: never.'),
  revision: column.revision(),
});
export type OrderRow = z.infer<typeof orderRow>;

export const orderExample: OrderRow = {
  orderId: exampleIds.orderId,
  customerId: exampleIds.customerId,
  storeId: exampleIds.storeId,
  leadTypeId: exampleIds.leadTypeId,
  status: 'open',
  quantity: 25,
  bonusLeads: 0,
  orderedLeads: 25,
  renewals: 0,
  loyaltyCadence: null,
  dailyMaximum: 5,
  timeZone: 'America/New_York',
  pricePerLeadCents: 1000,
  totalCents: 25_000,
  currency: 'USD',
  statementDescriptor: 'LEADGER',
  policyVersion: 1,
  deliveredLeads: 7,
  replacementsOwed: 0,
  replacementsDelivered: 1,
  placedAt: '2026-03-01T09:30:00.000Z',
  paidAt: '2026-03-01T09:30:01.000Z',
  pausedAt: null,
  restartsAt: null,
  lastDeliveredAt: '2026-03-02T15:12:40.000Z',
  waitingSince: '2026-03-02T15:12:40.000Z',
  closedAt: null,
  declineReason: null,
  paymentUnknownSince: null,
  timeZoneUnknownSince: null,
  refundedCents: 0,
  refundsUnderWayCents: 0,
  maximumReachedOn: '2026-03-01',
  revision: 11,
};

export const orderTable = table(orderRow, {
  name: 'orders',
  key: 'orderId',
  family: 'order',
  belongsTo: { customer: 'customerId', store: 'storeId' },
  indexes: [
    'placed_at DESC, order_id DESC',
    'customer_id, placed_at DESC, order_id DESC',
    'status, placed_at DESC, order_id DESC',
    'store_id, placed_at DESC, order_id DESC',
    'lead_type_id, placed_at DESC, order_id DESC',
    'status, waiting_since, order_id',
    'payment_unknown_since',
    'time_zone_unknown_since',
  ],
});

export const orders = modelOfStreams({
  name: 'orders',
  table: orderTable,
  never: 'an order that was never placed',
  on: {
    OrderPlaced: (order, fact) => order.create(placed(fact)),
    PaymentCaptured: (order, fact) => stand(order, fact, { ...paid(fact), waitingSince: fact.data.at }),
    PaymentDeclined: (order, fact) => {
      const { at, reason } = fact.data;
      stand(order, fact, { waitingSince: at, closedAt: at, declineReason: reason, paymentUnknownSince: null });
    },
    PaymentCapturedTooLate: (order, fact) => {
      if (fact.data.renewalNumber === undefined) order.set(paid(fact));
    },
    PaymentUnknown: (order, { data: { at } }) => order.set({ paymentUnknownSince: at }),
    PaymentNotCaptured: (order) => order.set({ paymentUnknownSince: null }),
    RenewalUnknown: (order, { data: { at } }) => order.set({ paymentUnknownSince: at }),
    RenewalNotCaptured: (order) => order.set({ paymentUnknownSince: null }),
    RenewalPaid: (order) => order.set({ paymentUnknownSince: null }),
    RenewalDeclined: (order) => order.set({ paymentUnknownSince: null }),
    RefundWished: (order, { data }) =>
      order.set({ refundsUnderWayCents: order.now.refundsUnderWayCents + data.amountCents }),
    PaymentRefunded: giveBack,
    RefundSettled: giveBack,
    RefundReturned: takeBack,
    OrderPaused: (order, fact) => {
      const { at: pausedAt, restartsAt = null } = fact.data;
      stand(order, fact, { pausedAt, restartsAt });
    },
    OrderRestarted: (order, fact) => stand(order, fact, { waitingSince: fact.data.at, ...notPaused }),
    OrderReopened: reopen,
    OrderTimeZoneCorrected: (order, { data }) => order.set({ timeZone: data.timeZone, timeZoneUnknownSince: null }),
    DailyMaximumChanged: (order, { data }) => order.set({ dailyMaximum: data.dailyMaximum }),
    /** A paused order restarts for its renewal: there is none any more. */
    ProgrammeCancelled: (order) => order.before && order.set({ restartsAt: null }),
    OrderCancelled: (order, fact) => stand(order, fact, { closedAt: fact.data.at, ...notPaused }),
    OrderFilled: (order, fact) => stand(order, fact, { closedAt: fact.data.at }),
    LeadDelivered: deliver,
    DailyMaximumReached: (order, { data }) => order.set({ maximumReachedOn: data.localDay }),
    ReplacementOwed: (order) => order.set({ replacementsOwed: order.now.replacementsOwed + 1 }),
    ReplacementForgiven: (order) => order.set({ replacementsOwed: order.now.replacementsOwed - 1 }),
  },
});

type Order = RowOfStream<OrderRow>;

/** What the history shows too comes from the fold of the order itself; `more` is what only the row has. */
function stand(order: Order, fact: Parameters<typeof standingAfter>[1], more: Partial<OrderRow>): void {
  order.set({ ...(standingAfter(order.now, fact) as Partial<OrderRow> & { status?: OrderStatus }), ...more });
}

/** The first payment. It is known now what became of its charge. */
const paid = ({ data }: FactOf<'PaymentCaptured' | 'PaymentCapturedTooLate'>) => ({
  paidAt: data.at,
  paymentUnknownSince: null,
});

const notPaused = { pausedAt: null, restartsAt: null };

const placed = ({ stream, revision, data }: FactOf<'OrderPlaced'>): OrderRow => ({
  orderId: idOf(stream),
  customerId: data.customerId,
  storeId: data.storeId,
  leadTypeId: data.leadTypeId,
  status: 'awaiting-payment',
  quantity: data.quantity,
  bonusLeads: data.bonusLeads,
  orderedLeads: addedLeads(data),
  renewals: 0,
  loyaltyCadence: data.loyalty?.cadence ?? null,
  dailyMaximum: data.dailyMaximum ?? null,
  timeZone: data.timeZone,
  timeZoneUnknownSince: isTimeZone(data.timeZone) ? null : data.at,
  pricePerLeadCents: data.pricePerLeadCents,
  totalCents: data.totalCents,
  currency: data.currency,
  statementDescriptor: data.statementDescriptor,
  policyVersion: data.policyVersion,
  placedAt: data.at,
  revision,
  ...nothingHappenedYet,
});

const nothingHappenedYet = {
  deliveredLeads: 0,
  replacementsOwed: 0,
  replacementsDelivered: 0,
  paidAt: null,
  pausedAt: null,
  restartsAt: null,
  lastDeliveredAt: null,
  waitingSince: null,
  closedAt: null,
  declineReason: null,
  paymentUnknownSince: null,
  refundedCents: 0,
  refundsUnderWayCents: 0,
  maximumReachedOn: null,
} satisfies Partial<OrderRow>;

/** Only a filled order opens again; a paused one stays paused (LOY-2). */
function reopen(order: Order, fact: FactOf<'OrderReopened'>): void {
  const opens = order.now.status === 'filled' && { waitingSince: fact.data.at, closedAt: null };
  stand(order, fact, { ...opens });
}

function giveBack(order: Order, { data }: FactOf<'PaymentRefunded' | 'RefundSettled'>): void {
  const { refundedCents, refundsUnderWayCents } = order.now;
  const { amountCents } = data;
  order.set({
    refundedCents: refundedCents + amountCents,
    refundsUnderWayCents: refundsUnderWayCents - amountCents,
  });
}

/** The bank sent it back: it is to be given back once more. */
function takeBack(order: RowOfStream<OrderRow>, { data: { amountCents } }: FactOf<'RefundReturned'>): void {
  const { refundedCents, refundsUnderWayCents } = order.now;
  order.set({
    refundedCents: refundedCents - amountCents,
    refundsUnderWayCents: refundsUnderWayCents + amountCents,
  });
}

function deliver(order: Order, fact: FactOf<'LeadDelivered'>): void {
  const { at, replacementFor } = fact.data;
  const { replacementsOwed, replacementsDelivered } = order.now;
  const replaced = replacementFor !== undefined && {
    replacementsOwed: replacementsOwed - 1,
    replacementsDelivered: replacementsDelivered + 1,
  };
  stand(order, fact, { lastDeliveredAt: at, waitingSince: at, ...replaced });
}
