import { Readable } from 'node:stream';
import type { Contact } from '#domain/leads/contact';
import { type StatedFile, statedFiles } from '#test/lead-files';
import { columnMapping } from './column-mapping.ts';
import { readLeadFile } from './lead-file.ts';
import type { FileReading, LeadFileOptions, LeadFileRow } from './lead-file-row.ts';

async function read({ bytes, name, query, contentType = '' }: StatedFile, chunkBytes: number) {
  const { map, ...options } = query;
  const fileOptions: LeadFileOptions = {
    format: name.endsWith('.jsonl') ? 'ndjson' : 'csv',
    leadTypeId: 'exclusive-aged',
    source: 'files',
    ...(/8859/.test(contentType) && { encoding: 'latin1' }),
    ...(map && { columns: columnMapping(map) ?? [] }),
    ...(options as Partial<LeadFileOptions>),
  };
  const chunks = Array.from({ length: Math.ceil(bytes.length / chunkBytes) }, (_, index) =>
    bytes.subarray(index * chunkBytes, (index + 1) * chunkBytes),
  );
  const [rows, readings]: [LeadFileRow[], FileReading[]] = [[], []];
  for await (const row of readLeadFile(Readable.from(chunks), fileOptions, (reading) => readings.push(reading)))
    rows.push(row);
  return { rows, readings };
}

const textsOf = ({ extraFields, ...own }: Contact): string =>
  [...Object.values(own), ...(extraFields ? [JSON.stringify(extraFields)] : [])].join(' ');

describe.each(statedFiles)('$name: $about', (file) => {
  it.each([1, 1000])('is read as it is stated beside it, in pieces of %d bytes', async (chunkBytes) => {
    const { fails, rows: count, reading, persons, captured, consents } = file;
    if (fails !== undefined) {
      await expect(read(file, chunkBytes)).rejects.toThrow(fails);
      return;
    }
    const { rows, readings } = await read(file, chunkBytes);
    const leads = rows.flatMap((row) => ('lead' in row ? [row.lead] : []));
    const rejections = Object.fromEntries(rows.flatMap((row) => ('reason' in row ? [[row.line, row.reason]] : [])));
    expect(rows.length).toBe(count);
    expect(rejections).toEqual(file.rejections ?? {});
    expect(leads.length + Object.keys(rejections).length).toBe(count);
    expect(readings).toMatchObject([reading ?? { encoding: 'utf-8' }]);
    if (persons) expect(leads.map(({ contact }) => textsOf(contact))).toEqual(persons);
    if (captured) expect(leads.map(({ capturedAt }) => capturedAt ?? null)).toEqual(captured);
    if (consents) expect(leads.map(({ consent }) => consent ?? null)).toEqual(consents);
  });
});

it('there are some sixty files, and each of them states what becomes of its rows', () => {
  expect(statedFiles.length).toBeGreaterThanOrEqual(60);
  for (const { fails, rows, taken, known, duplicate, rejected } of statedFiles)
    if (fails === undefined) expect((taken ?? 0) + (known ?? 0) + (duplicate ?? 0) + (rejected ?? 0)).toBe(rows);
});
