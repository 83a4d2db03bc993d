import { z } from 'zod';
import type { Contact } from '#domain/leads/contact';
import type { Suppression } from '#domain/leads/suppression';
import type { LeadFileRow } from '#requests/lead-files/lead-file-row';
import type { RequestContext } from '#requests/request-tools';
import type { Requests } from '#requests/requests';
import { rejectionList } from './lead-batch.ts';
import { named } from './schemas.ts';

export const suppressionReport = named(
  'SuppressionBatchReport',
  z.object({
    suppressed: z.int().describe('Persons who are not sold from now on.'),
    known: z.int().describe('Persons who were not sold before.'),
    rejected: z.int().describe('Rows that were rejected.'),
    rejections: rejectionList,
  }),
);
type SuppressionReport = z.infer<typeof suppressionReport>;

const ROWS_AT_ONCE = 256;
const MAX_REJECTIONS_LISTED = 1000;

/** Suppresses the persons of a file (DLV-12), some rows at a time. */
export async function receiveSuppressions(
  requests: Requests,
  rows: AsyncIterable<LeadFileRow>,
  suppression: Suppression,
  context: RequestContext,
): Promise<SuppressionReport> {
  const report: SuppressionReport = { suppressed: 0, known: 0, rejected: 0, rejections: [] };
  let waiting: Contact[] = [];
  const suppressWaiting = async () => {
    const persons = waiting.map(({ telephone, email }) => ({ suppression, telephone, email }));
    waiting = [];
    for (const isNew of await requests.suppressions.suppress(persons, context))
      report[isNew ? 'suppressed' : 'known'] += 1;
  };
  for await (const row of rows) {
    if ('lead' in row) waiting.push(row.lead.contact);
    else reject(report, row);
    if (waiting.length === ROWS_AT_ONCE) await suppressWaiting();
  }
  await suppressWaiting();
  return report;
}

function reject(report: SuppressionReport, { line, reason }: { readonly line: number; readonly reason: string }): void {
  report.rejected += 1;
  if (report.rejections.length < MAX_REJECTIONS_LISTED) report.rejections.push({ line, reason });
}
