import { z } from 'zod';
import { addDays, DAY_MILLISECONDS } from '#domain/kernel/instants';
import type { OrderRow } from '#read-models/models/orders';

/** A century. A longer forecast would be useless. */
const LONGEST_FORECAST_DAYS = 36_525;

export const orderForecast = z.object({
  owedLeads: z.int().describe('Leads still to be delivered, with bonus and renewals. Replacements are not counted.'),
  expectedFilledAt: z
    .string()
    .meta({ format: 'date-time' })
    .nullable()
    .describe(
      'When it will be filled if leads continue to come at this rate (ORD-7); no promise. Null: too little is known.',
    ),
});
type OrderForecast = z.infer<typeof orderForecast>;

export function forecastOf(order: OrderRow, now: string): OrderForecast {
  const open = order.status === 'open' || order.status === 'paused' || order.status === 'awaiting-payment';
  const owed = open ? order.orderedLeads - order.deliveredLeads : 0;
  if (order.status !== 'open' || !order.paidAt || order.deliveredLeads === 0)
    return { owedLeads: owed, expectedFilledAt: null };
  const daysSoFar = Math.max(1, (Date.parse(now) - Date.parse(order.paidAt)) / DAY_MILLISECONDS);
  const leadsPerDay = Math.min(order.deliveredLeads / daysSoFar, order.dailyMaximum ?? Number.POSITIVE_INFINITY);
  const days = owed / leadsPerDay;
  return { owedLeads: owed, expectedFilledAt: days > LONGEST_FORECAST_DAYS ? null : addDays(now, days) };
}
