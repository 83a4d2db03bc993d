import { z } from 'zod';
import { consent } from '#domain/leads/consent';
import { contact } from '#domain/leads/contact';
import { openText } from './encodings.ts';
import { leadsOfCsv } from './lead-csv.ts';
import {
  type FileReading,
  fileRowOf,
  type LeadFileOptions,
  type LeadFileRow,
  leadOf,
  reasonOf,
  refuseBadDefaults,
} from './lead-file-row.ts';
import { type FileLine, linesOf } from './lines.ts';

/**
 * Reads leads from the bytes of a file, in constant memory. A wrong row does not affect the other rows.
 * @param told is told how the file is read, before the first row
 * @throws LeadFileError for a header that cannot be understood, or a source or lead type that no row could have
 */
export async function* readLeadFile(
  bytes: AsyncIterable<Uint8Array>,
  options: LeadFileOptions,
  told: (reading: FileReading) => void = () => {},
): AsyncGenerator<LeadFileRow> {
  refuseBadDefaults(options);
  const text = await openText(bytes, options.encoding ?? 'utf-8');
  const { encoding } = text;
  if (options.format === 'csv') {
    yield* leadsOfCsv(linesOf(text), options, (columns) => told({ encoding, ...columns }));
    return;
  }
  told({ encoding, ignoredColumns: [], keptColumns: [] });
  yield* rowsOfNdjson(linesOf(text), options);
}

const leadObject = z.strictObject({
  leadTypeId: z.string().optional(),
  source: z.string().optional(),
  capturedAt: z.string().optional(),
  contact,
  consent: consent.optional(),
});

async function* rowsOfNdjson(lines: AsyncIterable<FileLine>, defaults: LeadFileOptions): AsyncGenerator<LeadFileRow> {
  for await (const line of lines) {
    if (line.text.trim() === '') continue;
    yield fileRowOf(line, () => {
      const read = leadObject.safeParse(JSON.parse(line.text));
      if (!read.success) return reasonOf(read.error);
      const lead = leadOf(read.data, defaults);
      return typeof lead === 'string' ? lead : { lead: { ...lead, consent: read.data.consent } };
    });
  }
}
