import { day, percentile, ratio, seconds, storeAndType, type View } from './view.ts';

export const deliveryViews: readonly View[] = [
  {
    name: 'delivery_latency',
    description: 'How old leads were when they were delivered, replacements among them.',
    grain: 'one day of delivery, store and lead type',
    columns: {
      day: ['UTC day', 'of the delivery'],
      ...storeAndType,
      deliveries: ['deliveries', ''],
      replacements: ['deliveries', 'those of them that were replacements'],
      lead_age_p50_seconds: ['seconds', 'from receipt to delivery, median'],
      lead_age_p90_seconds: ['seconds', '90 % were delivered sooner'],
      lead_age_p99_seconds: ['seconds', '99 % were delivered sooner'],
    },
    sql: `
      SELECT ${day('delivered_at')} AS day, store_id, delivered.lead_type_id, count(*) AS deliveries,
        count(for_replacement_id) AS replacements,
        ${percentile(0.5, seconds('received_at', 'delivered_at'))} AS lead_age_p50_seconds,
        ${percentile(0.9, seconds('received_at', 'delivered_at'))} AS lead_age_p90_seconds,
        ${percentile(0.99, seconds('received_at', 'delivered_at'))} AS lead_age_p99_seconds
      FROM {leads.delivered_leads} AS delivered JOIN {leads.leads} AS leads USING (lead_id)
      GROUP BY 1, 2, 3`,
    example: [
      'Which lead types were delivered late, and when?',
      'SELECT day, lead_type_id, lead_age_p99_seconds FROM delivery_latency ORDER BY lead_age_p99_seconds DESC LIMIT 10',
    ],
  },
  {
    name: 'time_to_first_lead',
    description:
      'How long paid orders waited for their first lead. Orders that still wait are counted, and not measured.',
    grain: 'one day of payment, store and lead type',
    columns: {
      day: ['UTC day', 'of the payment'],
      ...storeAndType,
      orders: ['orders', 'paid'],
      served_orders: ['orders', 'with at least one lead'],
      wait_p50_seconds: ['seconds', 'from payment to first delivery, median'],
      wait_p90_seconds: ['seconds', '90 % waited less'],
      wait_p99_seconds: ['seconds', '99 % waited less'],
    },
    sql: `
      SELECT ${day('sales.paid_at')} AS day, store_id, lead_type_id, count(*) AS orders,
        count(first_at) AS served_orders,
        ${percentile(0.5, seconds('paid_at', 'first_at'))} AS wait_p50_seconds,
        ${percentile(0.9, seconds('paid_at', 'first_at'))} AS wait_p90_seconds,
        ${percentile(0.99, seconds('paid_at', 'first_at'))} AS wait_p99_seconds
      FROM {sales.sales} AS sales
      LEFT JOIN (SELECT order_id, min(delivered_at) AS first_at FROM {leads.delivered_leads} GROUP BY order_id) AS first
        USING (order_id)
      WHERE renewal_number = 0 AND paid_at IS NOT NULL
      GROUP BY 1, 2, 3`,
    example: [
      'How many orders of each type still wait for their first lead?',
      'SELECT lead_type_id, sum(orders - served_orders) AS waiting FROM time_to_first_lead GROUP BY 1 ORDER BY 2 DESC',
    ],
  },
  {
    name: 'fill_rate',
    description: 'How much of what was ordered and paid has been delivered. Replacements do not count.',
    grain: 'one store, lead type and status of orders',
    columns: {
      ...storeAndType,
      order_status: ['status', 'open, paused, filled or cancelled'],
      orders: ['orders', ''],
      ordered_leads: ['leads', 'of first orders and renewals, with bonus'],
      delivered_leads: ['leads', ''],
      fill_rate: ['0 to 1', 'delivered of ordered leads'],
    },
    sql: `
      SELECT store_id, lead_type_id, status AS order_status, count(*) AS orders, sum(ordered_leads) AS ordered_leads,
        sum(delivered_leads) AS delivered_leads, ${ratio('sum(delivered_leads)', 'sum(ordered_leads)')} AS fill_rate
      FROM {orders.orders} WHERE status NOT IN ('awaiting-payment', 'payment-failed')
      GROUP BY 1, 2, 3`,
    example: [
      'What share of each lead type was delivered?',
      `SELECT lead_type_id, sum(delivered_leads) / nullif(sum(ordered_leads), 0) AS fill_rate
FROM fill_rate GROUP BY 1 ORDER BY 2`,
    ],
  },
  {
    name: 'starvation',
    description: 'Open orders that still wait for leads, and since when.',
    grain: 'one order',
    columns: {
      order_id: ['id', ''],
      ...storeAndType,
      outstanding_leads: ['leads', 'ordered, with bonus, and not delivered'],
      delivered_leads: ['leads', ''],
      waiting_since: ['instant', 'the last delivery, or the payment when there was none'],
      daily_maximum: ['leads a day', 'null for batch types'],
      maximum_reached_on: ['local day', 'when it last took as many as it may in a day: then it does not starve'],
    },
    sql: `
      SELECT order_id, store_id, lead_type_id, ordered_leads - delivered_leads AS outstanding_leads, delivered_leads,
        coalesce(last_delivered_at, paid_at) AS waiting_since, daily_maximum, maximum_reached_on
      FROM {orders.orders} WHERE status = 'open' AND ordered_leads > delivered_leads`,
    example: [
      'Which orders have waited for more than two days?',
      `SELECT order_id, lead_type_id, outstanding_leads, waiting_since
FROM starvation WHERE waiting_since < now() - interval '2 days' ORDER BY waiting_since`,
    ],
  },
];
