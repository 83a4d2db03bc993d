import type { OrderEvent, OrderStatus } from './order.ts';

/** What an order shows, and decides by: its row and its history come from this one fold. */
export interface OrderStanding {
  status: OrderStatus | 'unknown';
  /** Leads and bonus leads, of the first order and of all renewals. */
  orderedLeads: number;
  /** Without replacements (ORD-6). */
  deliveredLeads: number;
  /** How often Loyalty Rewards re-opened it (LOY-2). */
  renewals: number;
}

export const noStanding = (): OrderStanding => ({ status: 'unknown', orderedLeads: 0, deliveredLeads: 0, renewals: 0 });

/** What the event changes. A payment that came too late re-opens nothing: its money is given back (CHK-6). */
export function standingAfter(
  { status, orderedLeads, deliveredLeads }: OrderStanding,
  event: OrderEvent,
): Partial<OrderStanding> {
  switch (event.type) {
    case 'OrderPlaced':
      return { status: 'awaiting-payment', orderedLeads: addedLeads(event.data) };
    case 'PaymentCaptured':
    case 'OrderRestarted':
      return { status: 'open' };
    case 'PaymentDeclined':
      return { status: 'payment-failed' };
    case 'OrderPaused':
      return { status: 'paused' };
    case 'OrderReopened':
      return {
        // A paused order stays paused (LOY-2).
        status: status === 'filled' ? 'open' : status,
        orderedLeads: orderedLeads + addedLeads(event.data),
        renewals: event.data.renewalNumber,
      };
    case 'OrderCancelled':
      return { status: 'cancelled' };
    case 'OrderFilled':
      return { status: 'filled' };
    case 'LeadDelivered':
      return event.data.replacementFor === undefined ? { deliveredLeads: deliveredLeads + 1 } : {};
    default:
      return {};
  }
}

/** What an order or one renewal of it adds to the leads ordered, replacements aside (ORD-6). */
export const addedLeads = ({ quantity, bonusLeads }: { quantity: number; bonusLeads: number }): number =>
  quantity + bonusLeads;
