import { Readable } from 'node:stream';
import { readLeadFile } from './lead-file.ts';
import type { LeadFileRow } from './lead-file-row.ts';

// Of spaces, as many as a row may have: work that grows with their square would take hours.
const SPACES = ' \u00a0'.repeat(400_000);

async function read(content: string): Promise<LeadFileRow[]> {
  const rows: LeadFileRow[] = [];
  const options = { format: 'csv', leadTypeId: 'exclusive-fresh', source: 'a list' } as const;
  for await (const row of readLeadFile(Readable.from([Buffer.from(content)]), options)) rows.push(row);
  return rows;
}

test('a cell that is nearly all spaces is read at once', async () => {
  const rows = await read(`first name,telephone\nAnn${SPACES}x,212 555 0142\n`);
  expect(rows).toEqual([expect.objectContaining({ line: 2 })]);
});

test('a first line that begins as one that names the delimiter, and is nearly all spaces, is read at once', async () => {
  await expect(read(`sep=;${'\t '.repeat(400_000)}x\nfirst name;telephone\nAnn;212 555 0142\n`)).rejects.toThrow(
    'unknown columns',
  );
});
