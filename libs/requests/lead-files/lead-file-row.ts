import { z } from 'zod';
import { LeadgerError } from '#domain/kernel/leadger-error';
import { isTimeZone } from '#domain/kernel/local-days';
import { ID, line } from '#domain/kernel/text';
import { type Consent, consent } from '#domain/leads/consent';
import type { Contact } from '#domain/leads/contact';
import type { ReceiveLeadRequest } from '../lead-receipt.ts';
import type { ColumnMapping } from './column-mapping.ts';
import type { FileEncoding, NamedEncoding } from './encodings.ts';
import type { FileLine } from './lines.ts';
import type { WrittenTimes } from './written-times.ts';

/** A row of a file: what it says, or why it cannot be read. `text` is the row itself, cut when it is long. */
export type FileRow<Said = object> = { readonly line: number; readonly text: string } & (
  | Said
  | { readonly reason: string }
);

export type LeadFileRow = FileRow<{ readonly lead: ReceiveLeadRequest }>;

/**
 * The file as a whole cannot be read as leads, or as persons: none of its rows is imported. It names columns and values, and the first row
 * of a file without a header is a person.
 */
export class LeadFileError extends LeadgerError {
  override readonly quotes = true;

  constructor(message: string) {
    super('not-a-file-of-leads', message);
  }
}

/** How any file is read. */
export interface FileOptions {
  readonly format: 'csv' | 'ndjson';
  /** CSV: our field → the column of the file, for columns without a usual name. */
  readonly columns?: ColumnMapping;
  /** CSV: the country of telephone numbers without one. Default: US. */
  readonly country?: string;
  /** Default: UTF-8. A byte order mark of the file says more. */
  readonly encoding?: NamedEncoding;
}

export interface LeadFileOptions extends FileOptions {
  /** For rows that do not name a lead type or a source themselves. */
  readonly leadTypeId?: string;
  readonly source?: string;
  /** Of times that have none, by its IANA name. Without it, a file with such times is refused. */
  readonly timeZone?: string;
  /** CSV: what happens to columns that say nothing of ours. Default: ignored in an export that we know, else refused. */
  readonly unknownColumns?: 'ignore' | 'keep' | 'refuse';
}

/** How a file is read. It is said to whoever sent it, because some of it is guessed. */
export interface FileReading {
  readonly encoding: FileEncoding;
  /** CSV: what stands between two cells. */
  readonly delimiter?: string;
  /** CSV: the tool whose export it is. */
  readonly exportOf?: string;
  /** CSV: the first line is a person, and no header. Only lists of persons are read so. */
  readonly withoutHeader?: true;
  readonly ignoredColumns: readonly string[];
  readonly keptColumns: readonly string[];
}

const LONGEST_TEXT = 2000;

/** What a damaged row says still, or why it says nothing. */
export type ReadDamaged<Said> = (readable: string, damage: string) => Said | string;

/**
 * @param read returns what the row says, or why it cannot be read; a SyntaxError means that it is not JSON
 * @param readDamaged default: a damaged line says nothing
 */
export function fileRowOf<Said extends object>(
  line: FileLine,
  read: () => Said | string,
  readDamaged: ReadDamaged<Said> = (_, damage) => damage,
): FileRow<Said> {
  const row = { line: line.number, text: shortened(line.text, LONGEST_TEXT) };
  try {
    const said = 'reason' in line ? saidByDamaged(line, readDamaged) : read();
    return typeof said === 'string' ? { ...row, reason: said } : { ...row, ...said };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { ...row, reason: 'reason' in line ? line.reason : 'is not JSON' };
  }
}

const saidByDamaged = <Said>(
  { readable, reason }: Extract<FileLine, { reason: string }>,
  readDamaged: ReadDamaged<Said>,
): Said | string => (readable === undefined ? reason : readDamaged(readable, reason));

interface Written {
  readonly leadTypeId?: string | undefined;
  readonly source?: string | undefined;
  readonly capturedAt?: string | undefined;
  readonly contact: Contact;
  readonly consent?: { readonly text?: unknown; readonly at?: string | undefined } | undefined;
}

/** The lead that a row describes, or why it is not complete. */
export function leadOf(
  { contact, ...written }: Written,
  defaults: LeadFileOptions,
  times: WrittenTimes,
): ReceiveLeadRequest | string {
  const origin = originOf(written, defaults);
  if (typeof origin === 'string') return origin;
  const evidence = written.consent && consentIn(written.consent, times);
  if (typeof evidence === 'string') return evidence;
  const lead = { ...origin, contact, ...evidence };
  if (written.capturedAt === undefined) return lead;
  const captured = times.read('capturedAt', written.capturedAt);
  return typeof captured === 'string' ? captured : { ...lead, capturedAt: captured.at };
}

const evidence = z.object({ consent });

/** Checked as that of a single lead is. */
function consentIn(
  written: NonNullable<Written['consent']>,
  times: WrittenTimes,
): { readonly consent: Consent } | string {
  if (written.text === undefined) return 'consent.text: is missing';
  if (written.at === undefined) return 'consent.at: is missing';
  const agreed = times.read('consent.at', written.at);
  if (typeof agreed === 'string') return agreed;
  const read = evidence.safeParse({ consent: { ...written, at: agreed.at } });
  return read.success ? read.data : reasonOf(read.error);
}

const source = line();
const leadType = z.string().regex(ID, 'must be an id: letters, digits, dots and dashes, at most 100');

/** Where a lead comes from and what it is, or what is wrong with that. */
function originOf(
  written: Pick<Written, 'leadTypeId' | 'source'>,
  defaults: Pick<LeadFileOptions, 'leadTypeId' | 'source'>,
): Pick<ReceiveLeadRequest, 'leadTypeId' | 'source'> | string {
  const leadTypeId = written.leadTypeId ?? defaults.leadTypeId;
  const named = written.source ?? defaults.source;
  if (leadTypeId === undefined) return 'leadTypeId: is missing';
  const read = leadType.safeParse(leadTypeId);
  if (!read.success) return `leadTypeId: ${reasonOf(read.error)}`;
  if (named === undefined) return 'source: is missing';
  const from = source.safeParse(named);
  return from.success ? { leadTypeId, source: from.data } : `source: ${reasonOf(from.error)}`;
}

/** @throws LeadFileError */
export function refuseBadDefaults({ leadTypeId, source, timeZone }: LeadFileOptions): void {
  if (timeZone !== undefined && !isTimeZone(timeZone))
    throw new LeadFileError(`there is no time zone ${timeZone}: name it by its IANA name, like America/New_York`);
  const asked = { leadTypeId: leadTypeId ?? 'any', source: source ?? 'any' };
  const origin = originOf(asked, {});
  if (typeof origin === 'string') throw new LeadFileError(origin);
}

export function reasonOf(error: z.ZodError): string {
  const reasons = error.issues.map(({ path, message }) =>
    path.length > 0 ? `${path.join('.')}: ${message}` : message,
  );
  return [...new Set(reasons)].join('; ');
}

export const shortened = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length)}…`;
