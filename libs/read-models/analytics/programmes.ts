import { currencyColumns, minorDigits, month, ratio, storeAndType, type View } from './view.ts';

/** A programme has the currency of its order. */
const withCurrency = `(
          SELECT programmes.*, currency FROM {programmes.programmes} AS programmes JOIN (
            SELECT order_id, currency FROM {orders.orders}
          ) AS orders USING (order_id)
        )`;

export const programmeViews: readonly View[] = [
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
      'How many programmes of a month paid their first, second, third … renewal, of those that could have. A renewal that was not charged yet is neither paid nor unpaid. A renewal that a cancelled programme will not reach is unpaid from the day on which it would have been due.',
    grain:
      'one month of joining, store, lead type, cadence, currency and number of a renewal that was due for at least one programme',
    columns: {
      cohort_month: ['UTC month', 'its first day'],
      ...storeAndType,
      cadence: ['name', 'how often they are renewed'],
      ...currencyColumns,
      renewal_number: ['number', 'the first is 1'],
      programmes: ['programmes', 'that joined in that month and were paid for'],
      due: ['programmes', 'whose renewal was due, or would have been, had they not been cancelled'],
      renewed: ['programmes', 'that paid this renewal'],
      retention: ['0 to 1', 'renewed of due'],
      revenue_cents: ['cents', 'of this renewal, less what was given back'],
    },
    sql: `
      SELECT cohort_month, store_id, lead_type_id, cadence, currency, ${minorDigits('currency')} AS minor_digits,
        renewal_number, programmes, due, renewed,
        ${ratio('renewed', 'due')} AS retention, revenue_cents
      FROM (
        SELECT cohort_month, store_id, lead_type_id, cadence, currency, renewal_number, count(*) AS programmes,
          count(*) FILTER (WHERE attempts > 0
            OR status = 'cancelled' AND joined_at + renewal_number * cadence_days * interval '1 day' <= last_tried.due_at
          ) AS due,
          count(paid_at) AS renewed,
          coalesce(sum(total_cents - refunded_cents), 0)::bigint AS revenue_cents
        FROM (
          SELECT *, ${month('joined_at')} AS cohort_month FROM ${withCurrency} AS joined
          WHERE status <> 'joining' AND status_cause IS DISTINCT FROM 'payment-failed'
        ) AS programmes
        JOIN (
          SELECT DISTINCT ${month('joined_at')} AS cohort_month, store_id, lead_type_id, cadence, currency, renewal_number
          FROM {programmes.renewals} JOIN ${withCurrency} AS tried USING (order_id) WHERE attempts > 0
        ) AS steps USING (cohort_month, store_id, lead_type_id, cadence, currency)
        LEFT JOIN {programmes.renewals} AS renewals USING (order_id, renewal_number)
        CROSS JOIN (SELECT max(due_at) AS due_at FROM {programmes.renewals} WHERE attempts > 0) AS last_tried
        GROUP BY 1, 2, 3, 4, 5, 6
      ) AS cohorts`,
    example: [
      'How many stay for a third renewal?',
      `SELECT cohort_month, lead_type_id, cadence, renewed, due, retention
FROM programme_retention WHERE renewal_number = 3 ORDER BY 1, 2, 3`,
    ],
  },
];
