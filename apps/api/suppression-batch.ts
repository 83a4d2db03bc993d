import { z } from 'zod';
import { isStaff } from '#domain/kernel/caller';
import type { SuppressedBy } from '#domain/leads/suppression';
import { lostRows } from '#requests/lead-files/counts';
import { type PersonFileRow, readPersonFile } from '#requests/lead-files/person-file';
import type { PersonFileOptions } from '#requests/lead-files/person-header';
import { listRefused, PersonOfForm, type Reached } from '#requests/person-of-form';
import type { RequestContext } from '#requests/request-tools';
import type { Requests } from '#requests/requests';
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
  const suppress = (persons: readonly Reached[]) =>
    requests.suppressions.suppress(
      persons.map((person) => ({ ...person, ...by })),
      context,
    );
  const isList = isStaff(context.caller.roles);
  const rows = readPersonFile(isList ? file : ofForm(file), options, (reading) => Object.assign(report, { reading }));
  const persons = personsOf(rows, report);
  await (isList ? suppressList : suppressOne)(persons, report, suppress);
  const lost = lostRows({ ...report, taken: report.suppressed, duplicate: 0 });
  if (lost) throw new Error(lost);
  return report;
}

/** More than one person needs. Who may send more than this could keep the program busy: it reads thousands of numbers for seconds. */
const MOST_BYTES_OF_A_FORM = 16_384;

/** @throws RequestRefused for what is too long to be one person's */
async function* ofForm(file: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of file) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES_OF_A_FORM) throw listRefused();
    yield chunk;
  }
}

type Suppress = (persons: readonly Reached[]) => Promise<boolean[]>;

async function suppressList(persons: AsyncIterable<Reached>, report: SuppressionReport, suppress: Suppress) {
  let waiting: Reached[] = [];
  const suppressWaiting = async () => {
    const some = waiting;
    waiting = [];
    for (const isNew of await suppress(some)) report[isNew ? 'suppressed' : 'known'] += 1;
  };
  for await (const person of persons) if (waiting.push(person) === ROWS_AT_ONCE) await suppressWaiting();
  await suppressWaiting();
}

/** The one person of a form: nothing is done before all rows are of this person. All of them count as new. */
async function suppressOne(persons: AsyncIterable<Reached>, report: SuppressionReport, suppress: Suppress) {
  const form = new PersonOfForm();
  for await (const person of persons) {
    form.add(person);
    report.suppressed += 1;
  }
  if (report.suppressed > 0) await suppress([form.reached]);
}

/** The persons of all rows that are not rejected. */
async function* personsOf(rows: AsyncIterable<PersonFileRow>, report: SuppressionReport): AsyncGenerator<Reached> {
  for await (const row of rows) {
    count(report, row);
    if ('person' in row) yield { telephones: row.person.telephones, emails: row.person.emails };
  }
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
