import { z } from 'zod';
import type { LeadRow } from '#requests/lead-row';
import type { Answer, RequestContext } from '#requests/request-tools';
import type { Requests } from '#requests/requests';

export const batchReport = z.object({
  received: z.int().describe('Leads that are new.'),
  known: z.int().describe('Leads that were received before: the same person, source, type and capture instant.'),
  rejected: z.int().describe('Rows that were rejected.'),
  rejections: z
    .array(
      z.object({
        line: z.int().describe('The line of the file, from 1.'),
        reason: z.string().describe('Why the row was rejected.'),
      }),
    )
    .describe('The first 1,000 rejected rows, by line.'),
  position: z.string().optional().describe('Send it with a read as waitFor: then the read reflects all of them.'),
});
export type BatchReport = z.infer<typeof batchReport>;

/** Content type → how the file is read. Requests with one of them are streamed, whatever their length. */
const formats = { 'text/csv': 'csv', 'application/x-ndjson': 'ndjson', 'application/jsonl': 'ndjson' } as const;

export const fileTypes = Object.keys(formats);

export const formatOf = (contentType = ''): 'csv' | 'ndjson' | undefined =>
  formats[(contentType.split(';', 1)[0] as string).trim().toLowerCase() as keyof typeof formats];

const ROWS_AT_ONCE = 256;
const MAX_REJECTIONS_TOLD = 1000;

/** Takes in a file of leads, some rows at a time: however long it is, no more of it is in memory than those. */
export async function receiveBatch(
  requests: Requests,
  rows: AsyncIterable<LeadRow>,
  context: RequestContext,
): Promise<BatchReport> {
  const report: BatchReport = { received: 0, known: 0, rejected: 0, rejections: [] };
  let waiting: LeadRow[] = [];
  const takeIn = async () => {
    const [batch, leads] = [waiting, waiting.flatMap((row) => ('lead' in row ? [row.lead] : []))];
    waiting = [];
    const answers = (await requests.leads.receive(leads, context)).values();
    for (const row of batch) count(report, row, 'lead' in row ? (answers.next().value as Answer) : undefined);
  };
  for await (const row of rows) if (waiting.push(row) === ROWS_AT_ONCE) await takeIn();
  await takeIn();
  return report;
}

function count(report: BatchReport, row: LeadRow, answer: Answer | undefined): void {
  if (answer?.outcome.kind === 'accepted') {
    const { events, position } = answer.outcome;
    if (events.length > 0) report.received += 1;
    else report.known += 1;
    if (report.position === undefined || position > report.position) report.position = position;
    return;
  }
  report.rejected += 1;
  if (report.rejections.length < MAX_REJECTIONS_TOLD)
    report.rejections.push({ line: row.line, reason: 'reason' in row ? row.reason : refusalOf(answer) });
}

const refusalOf = (answer: Answer | undefined): string =>
  answer?.outcome.kind === 'refused' ? answer.outcome.refusal.message : 'the ledger did not take it';
