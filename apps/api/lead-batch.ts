import { HttpCode } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { z } from 'zod';
import type { Ending } from '#domain/kernel/activities';
import { lostRows } from '#requests/lead-files/counts';
import type { NamedEncoding } from '#requests/lead-files/encodings';
import { readLeadFile } from '#requests/lead-files/lead-file';
import type { LeadFileOptions, LeadFileRow } from '#requests/lead-files/lead-file-row';
import type { Receipt, RequestContext } from '#requests/request-tools';
import type { Requests } from '#requests/requests';
import { Problem } from './problems.ts';
import { answering, Problems, succeeds } from './responses.ts';
import { named } from './schemas.ts';

/** Of a report on a file. */
export const rejectionList = z
  .array(
    z.object({
      line: z.int().describe('The line of the file, from 1.'),
      reason: z.string().describe('Why the row was rejected.'),
    }),
  )
  .describe('The first 1,000 rejected rows, by line.');

/** Of a report on a file. */
export const fileReading = z
  .object({
    encoding: z.enum(['utf-8', 'latin1', 'utf-16le', 'utf-16be']).describe('The encoding of the file.'),
    delimiter: z.string().optional().describe('CSV: what stands between two cells.'),
    exportOf: z.string().optional().describe('CSV: the tool whose export the file is.'),
    withoutHeader: z
      .literal(true)
      .optional()
      .describe('CSV: the first line is a person, and no header: each line is one telephone number or e-mail address.'),
    ignoredColumns: z.array(z.string()).describe('CSV: columns that say nothing of ours, and were ignored.'),
    keptColumns: z.array(z.string()).describe('CSV: columns that are kept as extra fields.'),
  })
  .describe('How the file was read. Some of it is guessed.');

const batchReport = named(
  'LeadBatchReport',
  z.object({
    rows: z.int().describe('Rows of the file: received, known, duplicates and rejected together are as many.'),
    received: z.int().describe('Leads that are new.'),
    known: z
      .int()
      .describe(
        'Leads that were received before: the same person, source, type and capture instant or, without one, within an hour.',
      ),
    duplicates: z
      .int()
      .describe('Rows of persons whom another lead has already (DLV-11): recorded without contact, and never sold.'),
    rejected: z.int().describe('Rows that were rejected.'),
    rejections: rejectionList,
    reading: fileReading,
    position: z
      .string()
      .optional()
      .describe('Send it with a read as waitFor: then the read reflects all of them. Staff and programs get it.'),
  }),
);
type BatchReport = z.infer<typeof batchReport>;

/** The charset of a content type → the encoding. The byte order mark of UTF-16 says which it is. */
const charsets: Readonly<Record<string, NamedEncoding>> = {
  'utf-8': 'utf-8',
  utf8: 'utf-8',
  'us-ascii': 'utf-8',
  'utf-16': 'utf-8',
  'utf-16le': 'utf-8',
  'utf-16be': 'utf-8',
  'iso-8859-1': 'latin1',
  latin1: 'latin1',
  'windows-1252': 'latin1',
};

/** @throws Problem for a charset that is not read */
export function encodingOf(contentType = ''): NamedEncoding {
  const [, charset = 'utf-8'] = /;\s*charset="?([^\s";]+)/i.exec(contentType) ?? [];
  const encoding = charsets[charset.toLowerCase()];
  if (!encoding) throw new Problem('unsupported-media-type', `files in ${charset} are not read: send UTF-8`);
  return encoding;
}

/** Content type → how the file is read. Requests with one of them are streamed, whatever their length. */
const formats = {
  'text/csv': 'csv',
  'text/tab-separated-values': 'csv',
  'application/x-ndjson': 'ndjson',
  'application/jsonl': 'ndjson',
} as const;

export const fileTypes = Object.keys(formats);

export const formatOf = (contentType = ''): 'csv' | 'ndjson' | undefined =>
  formats[(contentType.split(';', 1)[0] as string).trim().toLowerCase() as keyof typeof formats];

/** The body of a file of leads, as the documentation shows it: each content type with an example of its own. */
const fileOfLeads = {
  required: true,
  description:
    'A wrong row does not affect the other rows. Sending the same file again within an hour, or with capturedAt, changes nothing.',
  content: {
    'text/csv': { schema: { type: 'string' }, example: 'first name,telephone\r\nAda,+1 212 555 0142\r\n' },
    'application/x-ndjson': {
      schema: { type: 'string' },
      example: '{"contact":{"firstName":"Grace","telephone":"+1 212 555 0147"}}\n',
    },
  },
};

/** A route that receives a file of leads. */
export const BatchRoute = (summary: string) =>
  answering(
    batchReport,
    HttpCode(200),
    ApiOperation({ summary, requestBody: fileOfLeads }),
    succeeds(200, 'How many rows were received, and why others were not.', batchReport, {
      rows: 1000,
      received: 997,
      known: 1,
      duplicates: 1,
      rejected: 1,
      rejections: [{ line: 17, reason: 'telephone: not a telephone number' }],
      reading: { encoding: 'utf-8', delimiter: ',', ignoredColumns: [], keptColumns: [] },
      position: '0000000000001042',
    }),
    Problems(400, 415, 503, 507),
  );

export const unread: z.infer<typeof fileReading> = { encoding: 'utf-8', ignoredColumns: [], keptColumns: [] };
export const ROWS_AT_ONCE = 256;
export const MAX_REJECTIONS_LISTED = 1000;

/** Receives a file of leads, some rows at a time: only those rows are in memory, whatever the length of the file. */
export async function receiveBatch(
  requests: Requests,
  file: AsyncIterable<Uint8Array>,
  options: LeadFileOptions,
  context: RequestContext,
): Promise<BatchReport> {
  const report: BatchReport = {
    rows: 0,
    received: 0,
    known: 0,
    duplicates: 0,
    rejected: 0,
    rejections: [],
    reading: unread,
  };
  let waiting: LeadFileRow[] = [];
  const receiveWaiting = async () => {
    const [batch, leads] = [waiting, waiting.flatMap((row) => ('lead' in row ? [row.lead] : []))];
    waiting = [];
    const answers = (await requests.leads.receive(leads, context)).values();
    for (const row of batch) count(report, row, 'lead' in row ? (answers.next().value as Receipt) : undefined);
  };
  const rows = readLeadFile(file, options, (reading) => Object.assign(report, { reading }));
  for await (const row of rows) {
    report.rows += 1;
    if (waiting.push(row) === ROWS_AT_ONCE) await receiveWaiting();
  }
  await receiveWaiting();
  const lost = lostRows({ ...report, taken: report.received, duplicate: report.duplicates });
  if (lost) throw new Error(lost);
  return report;
}

function count(report: BatchReport, row: LeadFileRow, answer: Receipt | undefined): void {
  if (answer?.outcome.kind === 'accepted') {
    const { events, position, repeated } = answer.outcome;
    if (events.length === 0 || repeated) report.known += 1;
    else if (events.some(({ type }) => type === 'DuplicateReceived')) report.duplicates += 1;
    else report.received += 1;
    if (report.position === undefined || position > report.position) report.position = position;
    return;
  }
  report.rejected += 1;
  if (report.rejections.length < MAX_REJECTIONS_LISTED)
    report.rejections.push({ line: row.line, reason: 'reason' in row ? row.reason : refusalOf(answer) });
}

/** What is told of a file: its counts. */
export const endOfBatch = ({ received, known, duplicates, rejected }: BatchReport): Ending => ({
  outcome: 'done',
  details: { received, known, duplicates, rejected },
});

const refusalOf = (answer: Receipt | undefined): string =>
  answer?.outcome.kind === 'refused' ? answer.outcome.refusal.message : 'the ledger did not accept it';
