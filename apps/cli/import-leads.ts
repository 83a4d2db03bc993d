import type { Outcome } from '#requests/addressed-command';
import { readLeadFile } from '#requests/lead-files/lead-file';
import type { LeadFileOptions } from '#requests/lead-files/lead-file-row';
import type { ReceiveLeadRequest } from '#requests/lead-receipt';
import type { StoreLocation } from '#wiring/stores';
import { type FileImportOptions, type FileKind, importFile } from './import/file-import.ts';
import type { Report, Result } from './import/intake.ts';

type ImportOptions = Omit<LeadFileOptions, 'format'> & FileImportOptions;

/**
 * Imports a file of leads. Importing it again changes nothing, because a lead is identified by its contents.
 * @throws CommandFailed, CannotOpenStore
 */
export const importLeads = (location: StoreLocation, file: string, options: ImportOptions): Promise<void> =>
  importFile(location, file, options, leadsIn(options));

const leadsIn = (options: ImportOptions): FileKind<{ readonly lead: ReceiveLeadRequest }, ReceiveLeadRequest> => ({
  name: 'leads',
  actor: 'system:import',
  path: '/api/leads/batches',
  read: (bytes, format, told) => readLeadFile(bytes, { ...options, format }, told),
  itemOf: ({ lead }) => ({ item: lead }),
  namesOfCounts: { new: 'received', known: 'known', duplicate: 'duplicates' },
  words: { new: 'leads imported', known: 'known before', duplicate: 'duplicates: another lead has the person' },
  receive: async ({ leads }, items, context) =>
    (await leads.receive(items, context)).map(({ outcome }) => resultOf(outcome)),
  reportIn(answer) {
    const { received, known, duplicates, rejected, rejections } = answer as Omit<Report, 'counts'> & InApi;
    return { counts: { new: received, known, duplicate: duplicates }, rejected, rejections };
  },
});

/** The counts, by the names that the API has for them. */
interface InApi {
  readonly received: number;
  readonly known: number;
  readonly duplicates: number;
}

function resultOf(outcome: Outcome): Result {
  if (outcome.kind === 'accepted') {
    if (outcome.events.length === 0 || outcome.repeated) return 'known';
    return outcome.events.some(({ type }) => type === 'DuplicateReceived') ? 'duplicate' : 'new';
  }
  return { reason: outcome.kind === 'refused' ? outcome.refusal.message : outcome.kind };
}
