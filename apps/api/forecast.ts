import { addDays } from '#domain/kernel/instants';
import type { OrderRow } from '#read-models/models/orders';

const DAY_MILLISECONDS = 86_400_000;
/** A century: whoever waits longer is told nothing. */
const LONGEST_FORECAST_DAYS = 36_525;

export interface Progress {
  /** Of what was ordered, bonus and renewals included; replacements are counted apart. */
  readonly owedLeads: number;
  /** When it would be filled if leads went on coming as they have so far; null when nothing tells. No promise (ORD-7). */
  readonly expectedFilledAt: string | null;
}

export function progressOf(order: OrderRow, now: string): Progress {
  const open = order.status === 'open' || order.status === 'paused' || order.status === 'awaiting-payment';
  const owed = open ? order.orderedLeads - order.deliveredLeads : 0;
  if (order.status !== 'open' || !order.paidAt || order.deliveredLeads === 0)
    return { owedLeads: owed, expectedFilledAt: null };
  const daysSoFar = Math.max(1, (Date.parse(now) - Date.parse(order.paidAt)) / DAY_MILLISECONDS);
  const leadsPerDay = Math.min(order.deliveredLeads / daysSoFar, order.dailyMaximum ?? Number.POSITIVE_INFINITY);
  const days = owed / leadsPerDay;
  return { owedLeads: owed, expectedFilledAt: days > LONGEST_FORECAST_DAYS ? null : addDays(now, days) };
}
