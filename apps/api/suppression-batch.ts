import { z } from 'zod';
import type { SuppressedBy } from '#domain/leads/suppression';
import { lostRows } from '#requests/lead-files/counts';
import { type PersonFileOptions, type PersonFileRow, readPersonFile } from '#requests/lead-files/person-file';
import type { RequestContext } from '#requests/request-tools';
import type { Requests } from '#requests/requests';
import { fileReading, MAX_REJECTIONS_LISTED, ROWS_AT_ONCE, rejectionList, unread } from './lead-batch.ts';
import { named } from './schemas.ts';

export const suppressionReport = named(
  'SuppressionBatchReport',
  z.object({
    rows: z.int().describe('Rows of the file: suppressed, known and rejected together are as many.'),
    suppressed: z.int().describe('Rows of persons who are not sold from now on.'),
    known: z.int().describe('Rows of persons who were not sold before.'),
    rejected: z.int().describe('Rows that were rejected: nobody is suppressed by them.'),
    rejections: rejectionList,
    incomplete: z
      .int()
      .describe(
        'Rows that were not rejected, but have something that is no number or address. What else they have counts.',
      ),
    incompleteRows: rejectionList.describe('The first 1,000 of them, with what was not understood.'),
    reading: fileReading,
  }),
);
export type SuppressionReport = z.infer<typeof suppressionReport>;

/** Suppresses the persons of a file (DLV-12), some rows at a time. */
export async function receiveSuppressions(
  requests: Requests,
  file: AsyncIterable<Uint8Array>,
  options: PersonFileOptions,
  by: SuppressedBy,
  context: RequestContext,
): Promise<SuppressionReport> {
  const report: SuppressionReport = {
    ...{ rows: 0, suppressed: 0, known: 0, rejected: 0, rejections: [] },
    ...{ incomplete: 0, incompleteRows: [], reading: unread },
  };
  let waiting: PersonFileRow[] = [];
  const suppressWaiting = async () => {
    const persons = waiting.flatMap((row) => ('person' in row ? [{ ...row.person, ...by }] : []));
    for (const row of waiting) count(report, row);
    waiting = [];
    for (const isNew of await requests.suppressions.suppress(persons, context))
      report[isNew ? 'suppressed' : 'known'] += 1;
  };
  const rows = readPersonFile(file, options, (reading) => Object.assign(report, { reading }));
  for await (const row of rows) {
    report.rows += 1;
    if (waiting.push(row) === ROWS_AT_ONCE) await suppressWaiting();
  }
  await suppressWaiting();
  const lost = lostRows({ ...report, taken: report.suppressed, duplicate: 0 });
  if (lost) throw new Error(lost);
  return report;
}

function count(report: SuppressionReport, row: PersonFileRow): void {
  const { line } = row;
  if ('reason' in row) {
    report.rejected += 1;
    if (report.rejections.length < MAX_REJECTIONS_LISTED) report.rejections.push({ line, reason: row.reason });
  } else if (row.person.notUnderstood !== undefined) {
    report.incomplete += 1;
    const reason = row.person.notUnderstood;
    if (report.incompleteRows.length < MAX_REJECTIONS_LISTED) report.incompleteRows.push({ line, reason });
  }
}
