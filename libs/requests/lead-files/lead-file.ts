import { z } from 'zod';
import { consent } from '#domain/leads/consent';
import { contact } from '#domain/leads/contact';
import { rowsOfCsv } from './lead-csv.ts';
import { type LeadFileOptions, type LeadFileRow, leadFileRowOf, leadOf, reasonOf } from './lead-file-row.ts';
import { type FileLine, linesOf } from './lines.ts';

/**
 * Reads leads from the bytes of a file, in constant memory. A wrong row does not affect the other rows.
 * @throws LeadFileError for a header that cannot be understood
 */
export async function* readLeadFile(
  bytes: AsyncIterable<Uint8Array>,
  options: LeadFileOptions,
): AsyncGenerator<LeadFileRow> {
  const lines = linesOf(bytes, options.encoding ?? 'utf-8');
  yield* options.format === 'csv' ? rowsOfCsv(lines, options) : rowsOfNdjson(lines, options);
}

const leadObject = z.strictObject({
  leadTypeId: z.string().min(1).optional(),
  source: z.string().min(1).max(200).optional(),
  capturedAt: z.string().optional(),
  contact,
  consent: consent.optional(),
});

async function* rowsOfNdjson(lines: AsyncIterable<FileLine>, defaults: LeadFileOptions): AsyncGenerator<LeadFileRow> {
  for await (const line of lines) {
    if (line.text.trim() === '') continue;
    yield leadFileRowOf(line, () => {
      const read = leadObject.safeParse(JSON.parse(line.text));
      if (!read.success) return reasonOf(read.error);
      const lead = leadOf(read.data, defaults);
      return typeof lead === 'string' ? lead : { ...lead, consent: read.data.consent };
    });
  }
}
