import { Readable } from 'node:stream';
import { readLeadFile } from './lead-file.ts';
import type { LeadFileOptions } from './lead-file-row.ts';

const csv = { format: 'csv', leadTypeId: 'exclusive-aged', source: 'a list' } as const;

async function read(rows: readonly string[], options: Partial<LeadFileOptions> = {}) {
  const bytes = Readable.from([Buffer.from(['email,captured at', ...rows].join('\n'))]);
  const read: string[] = [];
  for await (const row of readLeadFile(bytes, { ...csv, ...options }))
    read.push('lead' in row ? (row.lead.capturedAt ?? 'unknown') : `${row.line}: ${row.reason}`);
  return read;
}

const LOCAL = 'a@example.org,2026-02-01 10:00';
const unknown = (count: number) => Array.from({ length: count }, () => 'a@example.org,');

describe('a time without a zone', () => {
  it('that comes after the first 256 rows is refused by its row, because the others may have been imported', async () => {
    await expect(read([...unknown(255), LOCAL])).rejects.toThrow('line 257, capturedAt: "2026-02-01 10:00" has no');
    const rows = await read([...unknown(256), LOCAL, ...unknown(1)]);
    expect(rows).toHaveLength(258);
    expect(rows.at(-2)).toContain('258: capturedAt: "2026-02-01 10:00" has no time zone; name the one');
  });

  it('is not looked for in rows that are rejected for another reason', async () => {
    expect(await read(['nobody,2026-02-01 10:00'])).toEqual(['2: email: Invalid email address']);
  });

  it.each(['EST5', 'IST', '-05:00', 'New York'])('is not read in a zone that does not exist: %s', async (timeZone) => {
    await expect(read([LOCAL], { timeZone })).rejects.toThrow(`there is no time zone ${timeZone}`);
  });

  it('is not needed: the zone that a time has counts', async () => {
    const rows = ['a@example.org,2026-02-01 10:00+01:00', LOCAL];
    expect(await read(rows, { timeZone: 'America/New_York' })).toEqual([
      '2026-02-01T09:00:00.000Z',
      '2026-02-01T15:00:00.000Z',
    ]);
  });
});
