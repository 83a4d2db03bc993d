import { currencyColumns, day, minorDigits, storeAndType, type View } from './view.ts';

export const salesViews: readonly View[] = [
  {
    name: 'sales_by_day',
    description:
      'Orders, renewals and revenue. What is bought counts on the day it was bought, money when it was captured.',
    grain: 'one day, store, lead type and currency',
    columns: {
      day: ['UTC day', ''],
      ...storeAndType,
      ...currencyColumns,
      orders: ['orders', 'placed'],
      renewals: ['renewals', 'paid, so that an order was re-opened'],
      ordered_leads: ['leads', 'ordered and renewed, without bonus'],
      bonus_leads: ['leads', 'on top of them'],
      discount_cents: ['cents', 'taken off by coupons'],
      refunded_cents: [
        'cents',
        'given back of what was captured, on the day it was given back, less what came back from the bank on its day',
      ],
      revenue_cents: ['cents', 'captured, less what was given back; what came too late is in neither'],
    },
    sql: `
      SELECT day, store_id, lead_type_id, currency, ${minorDigits('currency')} AS minor_digits,
        sum(orders)::bigint AS orders, sum(renewals)::bigint AS renewals,
        sum(ordered_leads)::bigint AS ordered_leads, sum(bonus_leads)::bigint AS bonus_leads,
        sum(discount_cents)::bigint AS discount_cents, sum(refunded_cents)::bigint AS refunded_cents,
        (sum(captured_cents) - sum(refunded_cents))::bigint AS revenue_cents
      FROM (
        SELECT ${day('sold_at')} AS day, store_id, lead_type_id, currency,
          (renewal_number = 0)::int AS orders, (renewal_number > 0)::int AS renewals,
          quantity AS ordered_leads, bonus_leads, discount_cents,
          0 AS captured_cents, 0 AS refunded_cents
        FROM {sales.sales}
        UNION ALL
        SELECT ${day('paid_at')}, store_id, lead_type_id, currency, 0, 0, 0, 0, 0, total_cents, 0
        FROM {sales.sales} WHERE paid_at IS NOT NULL
        UNION ALL
        SELECT ${day('refunded_at')}, store_id, lead_type_id, currency, 0, 0, 0, 0, 0, 0, refunded_cents
        FROM {sales.refunded_sales} JOIN {sales.sales} USING (sale_id)
      ) AS happened
      GROUP BY day, store_id, lead_type_id, currency`,
    example: [
      'What did each store take in, month by month?',
      `SELECT date_trunc('month', day)::date AS month, store_id, currency, sum(revenue_cents) / 10.0 ^ minor_digits AS revenue
FROM sales_by_day GROUP BY 1, 2, 3, minor_digits ORDER BY 1, 2, 3`,
    ],
  },
];
