import { z } from 'zod';
import { isToldOfDuplicates } from '#domain/kernel/caller';
import type { SuppressedBy } from '#domain/leads/suppression';
import { lostRows } from '#requests/lead-files/counts';
import { type PersonFileRow, readPersonFile } from '#requests/lead-files/person-file';
import type { PersonFileOptions } from '#requests/lead-files/person-header';
import type { RequestContext } from '#requests/request-tools';
import type { Requests } from '#requests/requests';
import type { SuppressionRequest } from '#requests/suppressions';
import { fileReading, MAX_REJECTIONS_LISTED, ROWS_AT_ONCE, rejectionList, unread } from './lead-batch.ts';
import { named } from './schemas.ts';

export const suppressionReport = named(
  'SuppressionBatchReport',
  z.object({
    rows: z.int().describe('Rows of the file: suppressed, known and rejected together are as many.'),
    suppressed: z
      .int()
      .describe(
        'Rows that are new: the list did not have the person, or not by all of the row, or the person had not opted out. To whoever is neither staff nor a program, all rows that were not rejected.',
      ),
    known: z
      .int()
      .describe(
        'Rows that say nothing new: the list had the person by all of the row, or the person had opted out. Staff and programs are told.',
      ),
    rejected: z.int().describe('Rows that were rejected: nobody is suppressed by them.'),
    rejections: rejectionList,
    incomplete: z
      .int()
      .describe(
        'Rows that were not rejected, but are damaged, or have something that is no number or address. What else they have counts.',
      ),
    incompleteRows: rejectionList.describe('The first 1,000 of them, with what was not understood.'),
    reading: fileReading,
  }),
);
export type SuppressionReport = z.infer<typeof suppressionReport>;

/** Whoever fills in a form speaks for one person: of a second one, the file is refused before anything is done. */
const PERSONS_OF_A_FORM = 1;

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
  const isTold = isToldOfDuplicates(context.caller);
  const personsAtOnce = isTold ? ROWS_AT_ONCE : PERSONS_OF_A_FORM + 1;
  let waiting: SuppressionRequest[] = [];
  const suppressWaiting = async () => {
    const persons = waiting;
    waiting = [];
    for (const isNew of await requests.suppressions.suppress(persons, context))
      report[isNew || !isTold ? 'suppressed' : 'known'] += 1;
  };
  const rows = readPersonFile(file, options, (reading) => Object.assign(report, { reading }));
  for await (const row of rows) {
    count(report, row);
    if ('person' in row && waiting.push({ ...row.person, ...by }) === personsAtOnce) await suppressWaiting();
  }
  await suppressWaiting();
  const lost = lostRows({ ...report, taken: report.suppressed, duplicate: 0 });
  if (lost) throw new Error(lost);
  return report;
}

function count(report: SuppressionReport, row: PersonFileRow): void {
  const { line } = row;
  report.rows += 1;
  if ('reason' in row) {
    report.rejected += 1;
    if (report.rejections.length < MAX_REJECTIONS_LISTED) report.rejections.push({ line, reason: row.reason });
  } else if (row.person.notUnderstood !== undefined) {
    report.incomplete += 1;
    const reason = row.person.notUnderstood;
    if (report.incompleteRows.length < MAX_REJECTIONS_LISTED) report.incompleteRows.push({ line, reason });
  }
}
