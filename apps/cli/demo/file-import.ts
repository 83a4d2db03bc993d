import type { Caller } from '#domain/kernel/caller';
import type { Instant } from '#domain/kernel/events';
import { lostRows, type RowCounts } from '#requests/lead-files/counts';
import { readLeadFile } from '#requests/lead-files/lead-file';
import type { ReceiveLeadRequest } from '#requests/lead-receipt';
import type { Receipt } from '#requests/request-tools';
import type { Requests } from '#requests/requests';
import { commandIdOf } from './contexts.ts';
import type { OddFile } from './odd-files.ts';

type Counts = { -readonly [Name in keyof RowCounts]: RowCounts[Name] };

/** What became of the rows of a file. A row of a demo that is continued was taken before, so it is known now. */
const whatBecameOf = ({ outcome }: Receipt): Exclude<keyof Counts, 'rows'> => {
  if (outcome.kind !== 'accepted') return 'rejected';
  if (outcome.events.length === 0 || outcome.repeated) return 'known';
  return outcome.events.some(({ type }) => type === 'DuplicateReceived') ? 'duplicate' : 'taken';
};

/**
 * Imports a file as `import leads` does. Rows without an instant of their own get that of the file, so that a demo that is continued
 * knows them.
 * @throws Error when rows were lost
 */
export async function importFile(
  { leads }: Pick<Requests, 'leads'>,
  { name, bytes, options }: OddFile,
  { caller, at }: { caller: Caller; at: Instant },
): Promise<RowCounts> {
  const counts: Counts = { rows: 0, taken: 0, known: 0, duplicate: 0, rejected: 0 };
  const read: ReceiveLeadRequest[] = [];
  for await (const row of readLeadFile(chunksOf(bytes), options)) {
    counts.rows += 1;
    if ('lead' in row) read.push({ capturedAt: at, ...row.lead });
    else counts.rejected += 1;
  }
  const receipts = await leads.receive(read, { caller, commandId: commandIdOf('file', name) });
  for (const receipt of receipts) counts[whatBecameOf(receipt)] += 1;
  const lost = lostRows(counts);
  if (lost) throw new Error(`${name}: ${lost}`);
  return counts;
}

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
