import { z } from 'zod';
import { contact } from '#domain/leads/contact';
import { openText } from './encodings.ts';
import { leadsOfCsv } from './lead-csv.ts';
import {
  type FileReading,
  fileRowOf,
  LeadFileError,
  type LeadFileOptions,
  type LeadFileRow,
  leadOf,
  reasonOf,
  refuseBadDefaults,
} from './lead-file-row.ts';
import { type FileLine, linesOf } from './lines.ts';
import { WrittenTimes } from './written-times.ts';

/**
 * Reads leads from the bytes of a file, in constant memory. A wrong row does not affect the other rows.
 * @param told is told how the file is read, before the first row
 * @throws LeadFileError for a header that cannot be understood, a source or lead type that no row could have, or times whose zone
 * nobody named
 */
export async function* readLeadFile(
  bytes: AsyncIterable<Uint8Array>,
  options: LeadFileOptions,
  told: (reading: FileReading) => void = () => {},
): AsyncGenerator<LeadFileRow> {
  refuseBadDefaults(options);
  const text = await openText(bytes, options.encoding ?? 'utf-8');
  const { encoding } = text;
  const times = new WrittenTimes(options);
  if (options.format === 'csv') {
    const rows = leadsOfCsv(linesOf(text), options, times, (columns) => told({ encoding, ...columns }));
    yield* withReadableTimes(rows, times);
    return;
  }
  told({ encoding, ignoredColumns: [], keptColumns: [] });
  yield* withReadableTimes(rowsOfNdjson(linesOf(text), options, times), times);
}

const ROWS_LOOKED_AT = 256;

/** Looks at the first rows before any row is given: all times of a file are mostly written in one way. @throws LeadFileError */
async function* withReadableTimes(rows: AsyncGenerator<LeadFileRow>, times: WrittenTimes): AsyncGenerator<LeadFileRow> {
  try {
    const first: LeadFileRow[] = [];
    while (first.length < ROWS_LOOKED_AT) {
      const next = await rows.next();
      if (next.done) break;
      if (times.wrong !== undefined) throw new LeadFileError(`line ${next.value.line}, ${times.wrong}`);
      first.push(next.value);
    }
    yield* first;
    yield* rows;
  } finally {
    await rows.return(undefined);
  }
}

const leadObject = z.strictObject({
  leadTypeId: z.string().optional(),
  source: z.string().optional(),
  capturedAt: z.string().optional(),
  contact,
  // All of it is checked with its instant, which may have no zone.
  consent: z.looseObject({ at: z.string().optional() }).optional(),
});

async function* rowsOfNdjson(
  lines: AsyncIterable<FileLine>,
  defaults: LeadFileOptions,
  times: WrittenTimes,
): AsyncGenerator<LeadFileRow> {
  for await (const line of lines) {
    if (line.text.trim() === '') continue;
    yield fileRowOf(line, () => {
      const read = leadObject.safeParse(JSON.parse(line.text));
      if (!read.success) return reasonOf(read.error);
      const lead = leadOf(read.data, defaults, times);
      return typeof lead === 'string' ? lead : { lead };
    });
  }
}
