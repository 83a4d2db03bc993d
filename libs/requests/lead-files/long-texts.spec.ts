import { Readable } from 'node:stream';
import { readLeadFile } from './lead-file.ts';

// Of spaces, as many as a row may have: work that grows with their square would take hours.
const SPACES = ' \u00a0'.repeat(400_000);

const read = (content: string) =>
  Array.fromAsync(
    readLeadFile(Readable.from([Buffer.from(content)]), {
      format: 'csv',
      leadTypeId: 'exclusive-fresh',
      source: 'a list',
    }),
  );

test('a cell that is nearly all spaces is read at once', async () => {
  const rows = await read(`first name,telephone\nAnn${SPACES}x,212 555 0142\n`);
  expect(rows).toEqual([expect.objectContaining({ line: 2 })]);
});

test('a first line that begins as one that names the delimiter, and is nearly all spaces, is read at once', async () => {
  await expect(read(`sep=;${'\t '.repeat(400_000)}x\nfirst name;telephone\nAnn;212 555 0142\n`)).rejects.toThrow(
    'unknown columns',
  );
});
