import { day, percentile, ratio, seconds, storeAndType, type View } from './view.ts';

const granted = "status IN ('granted', 'replaced')";

export const returnViews: readonly View[] = [
  {
    name: 'return_rate',
    description: 'Which leads come back, of those delivered.',
    grain: 'one source, store and lead type as delivered',
    columns: {
      source: ['name', 'where the leads came from'],
      ...storeAndType,
      deliveries: ['deliveries', ''],
      returns: ['returns', 'requested'],
      granted_returns: ['returns', 'replaced or to be replaced, without goodwill'],
      goodwill_returns: ['returns', 'replaced or to be replaced as goodwill, beyond the rules'],
      return_rate: ['0 to 1', 'returns of deliveries'],
      granted_rate: ['0 to 1', 'granted returns of deliveries, without goodwill'],
    },
    sql: `
      SELECT source, delivered.store_id, delivered.lead_type_id, count(*) AS deliveries,
        count(replacement_id) AS returns,
        count(*) FILTER (WHERE ${granted} AND NOT goodwill) AS granted_returns,
        count(*) FILTER (WHERE ${granted} AND goodwill) AS goodwill_returns,
        ${ratio('count(replacement_id)', 'count(*)')} AS return_rate,
        ${ratio(`count(*) FILTER (WHERE ${granted} AND NOT goodwill)`, 'count(*)')} AS granted_rate
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
      reason: ['text', "the code of one of the policy's; of several requests, the last one's"],
      source: ['name', 'where the leads came from'],
      ...storeAndType,
      returns: ['returns', 'requested'],
      pending_returns: ['returns', 'not decided'],
      granted_returns: ['returns', 'replaced or to be replaced, without goodwill'],
      goodwill_returns: ['returns', 'replaced or to be replaced as goodwill, beyond the rules'],
      denied_returns: ['returns', ''],
      overdue_returns: ['returns', 'not decided in time, whatever came of it'],
      verdict_p50_seconds: ['seconds', 'from request to decision, median'],
      verdict_p90_seconds: ['seconds', '90 % were decided sooner'],
    },
    sql: `
      SELECT ${day('requested_at')} AS day, reason, source, store_id, replacements.lead_type_id, count(*) AS returns,
        count(*) FILTER (WHERE status = 'requested') AS pending_returns,
        count(*) FILTER (WHERE ${granted} AND NOT goodwill) AS granted_returns,
        count(*) FILTER (WHERE ${granted} AND goodwill) AS goodwill_returns,
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
];
