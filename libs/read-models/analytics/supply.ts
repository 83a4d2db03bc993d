import { day, percentile, seconds, type View } from './view.ts';

export const supplyViews: readonly View[] = [
  {
    name: 'supply_by_day',
    description: 'Leads received from each source, and their outcome.',
    grain: 'one day of receipt, source and lead type at receipt',
    columns: {
      day: ['UTC day', 'of the receipt'],
      source: ['name', 'where the leads came from'],
      lead_type_id: ['id', 'as which they were received'],
      leads: ['leads', 'received, without duplicates'],
      duplicates: ['records', 'of persons whom another lead had already'],
      delivered_leads: ['leads', 'delivered at least once'],
      deliveries: ['deliveries', 'a shared lead may have several'],
      withdrawn_leads: ['leads', 'found to be bad'],
      aged_leads: ['leads', 'that became another type since'],
      leads_in_stock: ['leads', 'that can still be delivered'],
      open_places: ['deliveries', 'that those leads can serve'],
    },
    sql: `
      SELECT ${day('received_at')} AS day, source, received_lead_type_id AS lead_type_id,
        count(*) FILTER (WHERE duplicate_of IS NULL) AS leads,
        count(duplicate_of) AS duplicates, count(deliveries) AS delivered_leads, coalesce(sum(deliveries), 0)::bigint AS deliveries,
        count(*) FILTER (WHERE withdrawn_as = 'returned') AS withdrawn_leads, count(aged_at) AS aged_leads,
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
      leads_in_stock: ['leads', 'that can still be delivered'],
      open_places: ['deliveries', 'that those leads can serve'],
      oldest_received_at: ['instant', 'of those in stock'],
      aged_leads: ['leads', 'that changed their type, sold since or not'],
      ageing_p50_seconds: ['seconds', 'from receipt to the last change of type, median'],
    },
    sql: `
      SELECT lead_type_id, received_lead_type_id, source, count(*) FILTER (WHERE open_places > 0) AS leads_in_stock,
        sum(open_places) AS open_places, min(received_at) FILTER (WHERE open_places > 0) AS oldest_received_at,
        count(aged_at) AS aged_leads, ${percentile(0.5, seconds('received_at', 'aged_at'))} AS ageing_p50_seconds
      FROM {leads.leads} WHERE duplicate_of IS NULL GROUP BY 1, 2, 3`,
    example: [
      'What is in stock, and since when?',
      `SELECT lead_type_id, sum(leads_in_stock) AS leads, min(oldest_received_at) AS oldest
FROM ageing GROUP BY 1 ORDER BY 1`,
    ],
  },
];
