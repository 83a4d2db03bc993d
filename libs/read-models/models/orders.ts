import { idOf } from '#domain/codec';
import { type OrderStatus, owedLeads } from '#domain/orders/order';
import { type Model, table } from '../engine/model.ts';

export interface OrderRow {
  readonly orderId: string;
  readonly customerId: string;
  readonly storeId: string;
  readonly leadTypeId: string;
  readonly status: Exclude<OrderStatus, 'unknown'>;
  readonly quantity: number;
  readonly bonusLeads: number;
  /** Quantity and bonus of the first order and all its renewals. */
  readonly orderedLeads: number;
  /** How often Loyalty Rewards re-opened it. */
  readonly renewals: number;
  /** Null when it does not take part in Loyalty Rewards. */
  readonly loyaltyCadence: string | null;
  /** Null for batch types (CHK-3). */
  readonly dailyMaximum: number | null;
  readonly timeZone: string;
  readonly pricePerLeadCents: number;
  readonly totalCents: number;
  readonly currency: string;
  readonly statementDescriptor: string;
  readonly policyVersion: number;
  /** Towards quantity and bonus; replacements do not count (ORD-6). */
  readonly deliveredLeads: number;
  readonly replacementsOwed: number;
  readonly replacementsDelivered: number;
  readonly placedAt: string;
  readonly paidAt: string | null;
  readonly pausedAt: string | null;
  /** When a paused order restarts by itself (ORD-3). */
  readonly restartsAt: string | null;
  readonly lastDeliveredAt: string | null;
  /** Since when nothing has come: the last delivery, or when it was opened last; of a refused payment, the refusal. */
  readonly waitingSince: string | null;
  /** When it was filled, cancelled or refused payment. */
  readonly closedAt: string | null;
  /** Why the payment was declined. */
  readonly declineReason: string | null;
  /** The local day on which the daily maximum was reached last. */
  readonly maximumReachedOn: string | null;
  /** Of the order's stream. */
  readonly revision: number;
}

export const orderTable = table<OrderRow>({
  name: 'orders',
  key: 'orderId',
  columns: {
    orderId: 'text',
    customerId: 'text',
    storeId: 'text',
    leadTypeId: 'text',
    status: 'text',
    quantity: 'integer',
    bonusLeads: 'integer',
    orderedLeads: 'integer',
    renewals: 'integer',
    loyaltyCadence: 'text',
    dailyMaximum: 'integer',
    timeZone: 'text',
    pricePerLeadCents: 'bigint',
    totalCents: 'bigint',
    currency: 'text',
    statementDescriptor: 'text',
    policyVersion: 'integer',
    deliveredLeads: 'integer',
    replacementsOwed: 'integer',
    replacementsDelivered: 'integer',
    placedAt: 'timestamptz',
    paidAt: 'timestamptz',
    pausedAt: 'timestamptz',
    restartsAt: 'timestamptz',
    lastDeliveredAt: 'timestamptz',
    waitingSince: 'timestamptz',
    closedAt: 'timestamptz',
    declineReason: 'text',
    maximumReachedOn: 'text',
    revision: 'integer',
  },
  indexes: [
    'placed_at DESC, order_id DESC',
    'customer_id, placed_at DESC, order_id DESC',
    'status, placed_at DESC, order_id DESC',
    'store_id, placed_at DESC, order_id DESC',
    'lead_type_id, placed_at DESC, order_id DESC',
    'status, waiting_since, order_id',
  ],
});

const eventTypes = [
  'OrderPlaced',
  'PaymentCaptured',
  'PaymentDeclined',
  'PaymentCapturedTooLate',
  'OrderPaused',
  'OrderRestarted',
  'OrderReopened',
  'DailyMaximumChanged',
  'PaymentCardChanged',
  'ProgrammeCancelled',
  'OrderCancelled',
  'OrderFilled',
  'LeadDelivered',
  'DailyMaximumReached',
  'ReplacementOwed',
] as const;
type OrderFacts = Model<(typeof eventTypes)[number]>;

export const orders: OrderFacts = {
  name: 'orders',
  version: 4,
  tables: [orderTable],
  eventTypes,
  keysOf: ({ stream }) => [[orderTable, idOf(stream)]],

  evolve(rows, fact) {
    const orderId = idOf(fact.stream);
    const before = fact.type === 'OrderPlaced' ? placed(orderId, fact.data) : rows.get(orderTable, orderId);
    if (!before) throw new Error(`${fact.type} of an order that was never placed`);
    // A programme has revisions of its own.
    const revision = fact.type === 'ProgrammeCancelled' ? before.revision : fact.revision;
    rows.put(orderTable, { ...before, ...changeBy(fact, before), revision });
  },
};

type OrderFact = Parameters<OrderFacts['evolve']>[1];

function placed(orderId: string, data: Extract<OrderFact, { type: 'OrderPlaced' }>['data']): OrderRow {
  const { at: placedAt, paymentToken: _, nextBonus: __, loyalty, dailyMaximum = null, ...terms } = data;
  return {
    orderId,
    ...terms,
    dailyMaximum,
    orderedLeads: owedLeads(data),
    renewals: 0,
    loyaltyCadence: loyalty?.cadence ?? null,
    placedAt,
    status: 'awaiting-payment',
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
    maximumReachedOn: null,
    revision: 0,
  };
}

function changeBy(fact: OrderFact, before: OrderRow): Partial<OrderRow> {
  const { at } = fact.data;
  switch (fact.type) {
    case 'OrderPlaced':
      return {};
    case 'PaymentCaptured':
      return { status: 'open', paidAt: at, waitingSince: at };
    case 'PaymentCapturedTooLate':
      return fact.data.renewalNumber === undefined ? { paidAt: at } : {};
    case 'PaymentDeclined':
      return { status: 'payment-failed', waitingSince: at, closedAt: at, declineReason: fact.data.reason };
    case 'OrderPaused':
      return { status: 'paused', pausedAt: at, restartsAt: fact.data.restartsAt ?? null };
    case 'OrderRestarted':
      return { status: 'open', waitingSince: at, pausedAt: null, restartsAt: null };
    case 'ProgrammeCancelled':
      return { restartsAt: null };
    case 'OrderReopened':
      return {
        orderedLeads: before.orderedLeads + owedLeads(fact.data),
        renewals: fact.data.renewalNumber,
        ...(before.status === 'filled' && { status: 'open', waitingSince: at, closedAt: null }),
      };
    case 'DailyMaximumChanged':
      return { dailyMaximum: fact.data.dailyMaximum };
    case 'PaymentCardChanged':
      return {};
    case 'OrderCancelled':
      return { status: 'cancelled', closedAt: at, pausedAt: null, restartsAt: null };
    case 'OrderFilled':
      return { status: 'filled', closedAt: at };
    case 'DailyMaximumReached':
      return { maximumReachedOn: fact.data.localDay };
    case 'ReplacementOwed':
      return { replacementsOwed: before.replacementsOwed + 1 };
    case 'LeadDelivered':
      return fact.data.replacementFor === undefined
        ? { lastDeliveredAt: at, waitingSince: at, deliveredLeads: before.deliveredLeads + 1 }
        : {
            lastDeliveredAt: at,
            waitingSince: at,
            replacementsOwed: before.replacementsOwed - 1,
            replacementsDelivered: before.replacementsDelivered + 1,
          };
  }
}
