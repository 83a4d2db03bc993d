/** A view for analysts. A test compares its columns with the database's, and runs its example. */
export interface View {
  readonly name: string;
  readonly description: string;
  /** What one row stands for. */
  readonly grain: string;
  readonly columns: Readonly<Record<string, readonly [unit: string, meaning: string]>>;
  /** Over tables written as `{model.table}`. What it does not select, nobody sees: no personal data, no sealed boxes. */
  readonly sql: string;
  /** A question, and how to ask it. */
  readonly example: readonly [question: string, sql: string];
}

/** In every view: how far the read models that it stands on have come. */
export const LOG_POSITION = {
  log_position: ['position', 'every event up to here is in the row'],
} as const satisfies View['columns'];

const storeAndType = {
  store_id: ['id', 'the store'],
  lead_type_id: ['id', 'the lead type'],
} as const satisfies View['columns'];

const day = (instant: string): string => `(${instant} AT TIME ZONE 'UTC')::date`;
const month = (instant: string): string => `date_trunc('month', ${instant} AT TIME ZONE 'UTC')::date`;
const seconds = (from: string, to: string): string => `extract(epoch FROM ${to} - ${from})::double precision`;
const percentile = (share: number, of: string): string => `percentile_cont(${share}) WITHIN GROUP (ORDER BY ${of})`;
const ratio = (part: string, whole: string): string =>
  `(${part})::double precision / nullif(${whole}, 0)::double precision`;

/** THE list of what analysts are promised. Days and months are those of UTC. */
export const views: readonly View[] = [
  {
    name: 'sales_by_day',
    description:
      'Orders, renewals and revenue. What is bought counts on the day it was bought, money when it was captured.',
    grain: 'one day, store, lead type and currency',
    columns: {
      day: ['UTC day', ''],
      ...storeAndType,
      currency: ['ISO 4217', ''],
      orders: ['orders', 'placed'],
      renewals: ['renewals', 'paid, so that an order was re-opened'],
      ordered_leads: ['leads', 'ordered and renewed, without bonus'],
      bonus_leads: ['leads', 'on top of them'],
      discount_cents: ['cents', 'taken off by coupons'],
      revenue_cents: ['cents', 'captured; what came too late and was given back is not in it'],
    },
    sql: `
      SELECT day, store_id, lead_type_id, currency,
        sum(orders)::bigint AS orders, sum(renewals)::bigint AS renewals,
        sum(ordered_leads)::bigint AS ordered_leads, sum(bonus_leads)::bigint AS bonus_leads,
        sum(discount_cents)::bigint AS discount_cents, sum(revenue_cents)::bigint AS revenue_cents
      FROM (
        SELECT ${day('sold_at')} AS day, store_id, lead_type_id, currency,
          (renewal_number = 0)::int AS orders, (renewal_number > 0)::int AS renewals,
          quantity AS ordered_leads, bonus_leads, discount_cents, 0 AS revenue_cents
        FROM {sales.sales}
        UNION ALL
        SELECT ${day('paid_at')}, store_id, lead_type_id, currency, 0, 0, 0, 0, 0, total_cents
        FROM {sales.sales} WHERE paid_at IS NOT NULL
      ) AS happened
      GROUP BY day, store_id, lead_type_id, currency`,
    example: [
      'What did each store take in, month by month?',
      `SELECT date_trunc('month', day)::date AS month, store_id, currency, sum(revenue_cents) / 100.0 AS revenue
FROM sales_by_day GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`,
    ],
  },
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
        count(replacement_for) AS replacements,
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
  {
    name: 'supply_by_day',
    description: 'What came in from each source, and what became of it.',
    grain: 'one day of receipt, source and lead type at receipt',
    columns: {
      day: ['UTC day', 'of the receipt'],
      source: ['name', 'where the leads came from'],
      lead_type_id: ['id', 'as what they came in'],
      leads: ['leads', 'received'],
      delivered_leads: ['leads', 'delivered at least once'],
      deliveries: ['deliveries', 'a shared lead may have several'],
      withdrawn_leads: ['leads', 'found to be bad'],
      aged_leads: ['leads', 'that became another type since'],
      leads_in_stock: ['leads', 'that can still be given to somebody'],
      open_places: ['deliveries', 'that those are good for'],
    },
    sql: `
      SELECT ${day('received_at')} AS day, source, received_lead_type_id AS lead_type_id, count(*) AS leads,
        count(deliveries) AS delivered_leads, coalesce(sum(deliveries), 0)::bigint AS deliveries,
        count(*) FILTER (WHERE withdrawn) AS withdrawn_leads, count(aged_at) AS aged_leads,
        count(*) FILTER (WHERE open_places > 0) AS leads_in_stock, sum(open_places) AS open_places
      FROM {leads.leads} AS leads
      LEFT JOIN (SELECT lead_id, count(*) AS deliveries FROM {leads.delivered_leads} GROUP BY lead_id) AS delivered
        USING (lead_id)
      GROUP BY 1, 2, 3`,
    example: [
      'Which sources bring leads that are never sold?',
      `SELECT source, sum(leads) AS leads, sum(leads - delivered_leads) AS unsold
FROM supply_by_day GROUP BY 1 ORDER BY 3 DESC`,
    ],
  },
  {
    name: 'ageing',
    description: 'How leads grow older in stock: from the type they came in as to the one they have now.',
    grain: 'one lead type now, lead type at receipt and source',
    columns: {
      lead_type_id: ['id', 'now'],
      received_lead_type_id: ['id', 'at receipt'],
      source: ['name', 'where the leads came from'],
      leads_in_stock: ['leads', 'that can still be given to somebody'],
      open_places: ['deliveries', 'that those are good for'],
      oldest_received_at: ['instant', 'of those in stock'],
      aged_leads: ['leads', 'that changed their type, sold since or not'],
      ageing_p50_seconds: ['seconds', 'from receipt to the last change of type, median'],
    },
    sql: `
      SELECT lead_type_id, received_lead_type_id, source, count(*) FILTER (WHERE open_places > 0) AS leads_in_stock,
        sum(open_places) AS open_places, min(received_at) FILTER (WHERE open_places > 0) AS oldest_received_at,
        count(aged_at) AS aged_leads, ${percentile(0.5, seconds('received_at', 'aged_at'))} AS ageing_p50_seconds
      FROM {leads.leads} GROUP BY 1, 2, 3`,
    example: [
      'What is in stock, and since when?',
      `SELECT lead_type_id, sum(leads_in_stock) AS leads, min(oldest_received_at) AS oldest
FROM ageing GROUP BY 1 ORDER BY 1`,
    ],
  },
  {
    name: 'return_rate',
    description: 'Which leads come back, of those delivered.',
    grain: 'one source, store and lead type as delivered',
    columns: {
      source: ['name', 'where the leads came from'],
      ...storeAndType,
      deliveries: ['deliveries', ''],
      returns: ['returns', 'asked for'],
      granted_returns: ['returns', 'replaced or to be replaced'],
      return_rate: ['0 to 1', 'returns of deliveries'],
      granted_rate: ['0 to 1', 'granted returns of deliveries'],
    },
    sql: `
      SELECT source, delivered.store_id, delivered.lead_type_id, count(*) AS deliveries,
        count(replacement_id) AS returns,
        count(*) FILTER (WHERE status IN ('granted', 'replaced')) AS granted_returns,
        ${ratio('count(replacement_id)', 'count(*)')} AS return_rate,
        ${ratio("count(*) FILTER (WHERE status IN ('granted', 'replaced'))", 'count(*)')} AS granted_rate
      FROM {leads.delivered_leads} AS delivered
      JOIN {leads.leads} AS leads USING (lead_id)
      LEFT JOIN {replacements.replacements} AS replacements USING (order_id, lead_id)
      GROUP BY 1, 2, 3`,
    example: [
      'Which sources are the worst, of those with ten deliveries at least?',
      `SELECT rank() OVER (ORDER BY sum(granted_returns) / sum(deliveries) DESC) AS place, source,
  sum(deliveries) AS deliveries, sum(granted_returns) AS granted_returns,
  round(100 * sum(granted_returns) / sum(deliveries), 1) AS percent
FROM return_rate GROUP BY source HAVING sum(deliveries) >= 10 ORDER BY place, source`,
    ],
  },
  {
    name: 'returns_by_day',
    description: 'Why leads come back, what was decided and how long that took.',
    grain: 'one day of the request, reason, source, store and lead type',
    columns: {
      day: ['UTC day', 'of the request'],
      reason: ['text', "one of the policy's"],
      source: ['name', 'where the leads came from'],
      ...storeAndType,
      returns: ['returns', 'asked for'],
      pending_returns: ['returns', 'not decided'],
      granted_returns: ['returns', 'replaced or to be replaced'],
      denied_returns: ['returns', ''],
      overdue_returns: ['returns', 'not decided in time, whatever came of it'],
      verdict_p50_seconds: ['seconds', 'from request to decision, median'],
      verdict_p90_seconds: ['seconds', '90 % were decided sooner'],
    },
    sql: `
      SELECT ${day('requested_at')} AS day, reason, source, store_id, replacements.lead_type_id, count(*) AS returns,
        count(*) FILTER (WHERE status = 'requested') AS pending_returns,
        count(*) FILTER (WHERE status IN ('granted', 'replaced')) AS granted_returns,
        count(*) FILTER (WHERE status = 'denied') AS denied_returns,
        count(*) FILTER (WHERE overdue) AS overdue_returns,
        ${percentile(0.5, seconds('requested_at', 'decided_at'))} AS verdict_p50_seconds,
        ${percentile(0.9, seconds('requested_at', 'decided_at'))} AS verdict_p90_seconds
      FROM {replacements.replacements} AS replacements JOIN {leads.leads} AS leads USING (lead_id)
      GROUP BY 1, 2, 3, 4, 5`,
    example: [
      'For which reasons do leads come back, of how many that were delivered, and how many returns are granted?',
      `SELECT reason, sum(returns) AS returns, sum(returns) / (SELECT sum(deliveries) FROM return_rate) AS return_rate,
  sum(granted_returns) AS granted
FROM returns_by_day GROUP BY 1 ORDER BY 2 DESC`,
    ],
  },
  {
    name: 'replacement_debt',
    description: 'Replacements that were promised and not delivered.',
    grain: 'one store and lead type',
    columns: {
      ...storeAndType,
      owed_replacements: ['leads', ''],
      owed_since: ['instant', 'the oldest of them was granted'],
    },
    sql: `
      SELECT store_id, lead_type_id, count(*) AS owed_replacements, min(decided_at) AS owed_since
      FROM {replacements.replacements} WHERE status = 'granted' GROUP BY 1, 2`,
    example: [
      'Of which types are the most leads owed, and are there any in stock?',
      `SELECT lead_type_id, owed_replacements, coalesce(stock.open_places, 0) AS open_places
FROM replacement_debt LEFT JOIN (SELECT lead_type_id, sum(open_places) AS open_places FROM ageing GROUP BY 1) AS stock
USING (lead_type_id) ORDER BY 2 DESC`,
    ],
  },
  {
    name: 'coupon_attempts',
    description:
      'Codes that were tried, and what came of it. What people took for a code and was none is not recorded.',
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
      currency: ['ISO 4217', ''],
      paid_orders: ['orders', ''],
      discount_cents: ['cents', 'taken off those'],
      revenue_cents: ['cents', 'captured for those'],
    },
    sql: `
      SELECT code, instead_of, store_id, currency, count(*) AS paid_orders,
        sum(discount_cents)::bigint AS discount_cents, sum(total_cents)::bigint AS revenue_cents
      FROM {sales.sales} JOIN {sales.coupons} USING (coupon_id) WHERE paid_at IS NOT NULL GROUP BY 1, 2, 3, 4`,
    example: [
      'Which codes cost the most?',
      'SELECT code, currency, sum(discount_cents) / 100.0 AS discount FROM coupon_sales GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 10',
    ],
  },
  {
    name: 'programmes_by_cohort',
    description:
      'Orders in Loyalty Rewards by the month they joined in: what they are now, and how often they were paused.',
    grain: 'one month of joining, store, lead type and cadence',
    columns: {
      cohort_month: ['UTC month', 'its first day'],
      ...storeAndType,
      cadence: ['name', 'how often they are renewed'],
      programmes: ['programmes', 'all that joined; those of unpaid orders are joining'],
      joining: ['programmes', ''],
      active: ['programmes', ''],
      held: ['programmes', ''],
      cancelled: ['programmes', ''],
      paused_programmes: ['programmes', 'whose order was paused at least once'],
      pauses: ['pauses', 'in all'],
      lost_ladders: ['programmes', 'paused more often than the ladder allows'],
    },
    sql: `
      SELECT ${month('joined_at')} AS cohort_month, store_id, lead_type_id, cadence, count(*) AS programmes,
        count(*) FILTER (WHERE status = 'joining') AS joining, count(*) FILTER (WHERE status = 'active') AS active,
        count(*) FILTER (WHERE status = 'held') AS held, count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
        count(*) FILTER (WHERE pauses_used > 0) AS paused_programmes, sum(pauses_used) AS pauses,
        count(*) FILTER (WHERE next_bonus_rule = 'ladder-lost') AS lost_ladders
      FROM {programmes.programmes} GROUP BY 1, 2, 3, 4`,
    example: [
      'Do customers who may pause stay?',
      `SELECT cohort_month, sum(paused_programmes) AS paused, sum(cancelled) AS cancelled, sum(programmes) AS programmes
FROM programmes_by_cohort GROUP BY 1 ORDER BY 1`,
    ],
  },
  {
    name: 'programme_retention',
    description:
      'How many programmes of a month paid their first, second, third … renewal, of those that could have. A renewal that nobody has tried to charge yet is neither paid nor unpaid; one that a cancelled programme will never come to is unpaid from the day on which it would have been due.',
    grain: 'one month of joining, store, lead type, cadence and number of a renewal that was due for somebody',
    columns: {
      cohort_month: ['UTC month', 'its first day'],
      ...storeAndType,
      cadence: ['name', 'how often they are renewed'],
      renewal_number: ['number', 'the first is 1'],
      programmes: ['programmes', 'that joined in that month and were paid for'],
      due: ['programmes', 'whose renewal was due, or would have been, had they not been cancelled'],
      renewed: ['programmes', 'that paid this renewal'],
      retention: ['0 to 1', 'renewed of due'],
      revenue_cents: ['cents', 'of this renewal'],
    },
    sql: `
      SELECT cohort_month, store_id, lead_type_id, cadence, renewal_number, programmes, due, renewed,
        ${ratio('renewed', 'due')} AS retention, revenue_cents
      FROM (
        SELECT cohort_month, store_id, lead_type_id, cadence, renewal_number, count(*) AS programmes,
          count(*) FILTER (WHERE attempts > 0
            OR status = 'cancelled' AND joined_at + renewal_number * cadence_days * interval '1 day' <= last_tried.due_at
          ) AS due,
          count(paid_at) AS renewed, coalesce(sum(total_cents), 0)::bigint AS revenue_cents
        FROM (
          SELECT *, ${month('joined_at')} AS cohort_month FROM {programmes.programmes}
          WHERE status <> 'joining' AND status_cause IS DISTINCT FROM 'payment-failed'
        ) AS programmes
        JOIN (
          SELECT DISTINCT ${month('joined_at')} AS cohort_month, store_id, lead_type_id, cadence, renewal_number
          FROM {programmes.renewals} JOIN {programmes.programmes} USING (order_id) WHERE attempts > 0
        ) AS steps USING (cohort_month, store_id, lead_type_id, cadence)
        LEFT JOIN {programmes.renewals} AS renewals USING (order_id, renewal_number)
        CROSS JOIN (SELECT max(due_at) AS due_at FROM {programmes.renewals} WHERE attempts > 0) AS last_tried
        GROUP BY 1, 2, 3, 4, 5
      ) AS cohorts`,
    example: [
      'How many stay for a third renewal?',
      `SELECT cohort_month, lead_type_id, cadence, renewed, due, retention
FROM programme_retention WHERE renewal_number = 3 ORDER BY 1, 2, 3`,
    ],
  },
  {
    name: 'mail_outcomes',
    description: 'What became of mails.',
    grain: 'one day on which mails were wished, kind and status',
    columns: {
      day: ['UTC day', 'on which they were wished'],
      kind: ['text', 'of the mail'],
      status: ['text', 'wished (to be sent), sent, refused or withheld'],
      mails: ['mails', ''],
      ended_p50_seconds: ['seconds', 'from the event it tells of to its sending, median; null while wished'],
      ended_p99_seconds: ['seconds', '99 % were sooner'],
    },
    sql: `
      SELECT ${day('wished_at')} AS day, kind, status, count(*) AS mails,
        ${percentile(0.5, seconds('happened_at', 'ended_at'))} AS ended_p50_seconds,
        ${percentile(0.99, seconds('happened_at', 'ended_at'))} AS ended_p99_seconds
      FROM {mails.mails} GROUP BY 1, 2, 3`,
    example: [
      'Which mails do not arrive?',
      `SELECT kind, sum(mails) AS refused FROM mail_outcomes WHERE status = 'refused' GROUP BY 1 ORDER BY 2 DESC`,
    ],
  },
];
