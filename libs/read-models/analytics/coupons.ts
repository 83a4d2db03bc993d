import { currencyColumns, minorDigits, type View } from './view.ts';

export const couponViews: readonly View[] = [
  {
    name: 'coupon_attempts',
    description: 'Codes that were tried, and the outcome. Text that is no code is not recorded.',
    grain: 'one code and outcome',
    columns: {
      code: ['text', ''],
      outcome: ['text', 'used, or why it was refused'],
      attempts: ['attempts', ''],
      last_tried_at: ['instant', ''],
    },
    sql: `
      SELECT code, outcome, count(*) AS attempts,
        max(tried_at) AS last_tried_at
      FROM {sales.coupon_attempts} JOIN {sales.coupons} USING (coupon_id) GROUP BY 1, 2`,
    example: [
      'Why are coupons refused?',
      `SELECT outcome, sum(attempts) AS attempts FROM coupon_attempts WHERE outcome <> 'used' GROUP BY 1 ORDER BY 2 DESC`,
    ],
  },
  {
    name: 'coupon_sales',
    description: 'What was sold with coupons. Renewals are not discounted, and not counted.',
    grain: 'one code, store and currency',
    columns: {
      code: ['text', ''],
      instead_of: ['text', 'the code that a customer was given this one for; else null'],
      store_id: ['id', 'the store'],
      ...currencyColumns,
      paid_orders: ['orders', ''],
      discount_cents: ['cents', 'taken off those'],
      revenue_cents: ['cents', 'captured for those, less what was given back'],
    },
    sql: `
      SELECT code, instead_of, store_id, currency, ${minorDigits('currency')} AS minor_digits, count(*) AS paid_orders,
        sum(discount_cents)::bigint AS discount_cents, (sum(total_cents) - sum(coalesce(refunded_cents, 0)))::bigint AS revenue_cents
      FROM {sales.sales} JOIN {sales.coupons} USING (coupon_id)
      LEFT JOIN (
        SELECT sale_id, sum(refunded_cents) AS refunded_cents FROM {sales.refunded_sales} GROUP BY sale_id
      ) AS refunded USING (sale_id)
      WHERE paid_at IS NOT NULL GROUP BY 1, 2, 3, 4`,
    example: [
      'Which codes cost the most?',
      'SELECT code, currency, sum(discount_cents) / 10.0 ^ minor_digits AS discount FROM coupon_sales GROUP BY 1, 2, minor_digits ORDER BY 3 DESC LIMIT 10',
    ],
  },
];
