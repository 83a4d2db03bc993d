import { Readable } from 'node:stream';
import fc from 'fast-check';
import { recordsOf } from './csv-records.ts';
import { openText } from './encodings.ts';
import { readLeadFile } from './lead-file.ts';
import { linesOf } from './lines.ts';

const piece = fc.oneof(
  fc.constantFrom('"', '""', '","', ',', '\n', '\r', '\r\n', '="', "'", ' ', 'sep=;\n'),
  fc.constantFrom('212 555 0101', 'ann@example.com', 'x', 'é'),
);
const content = fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(''));

const chunksOf = (text: string, bytes: number): Readable => {
  const all = Buffer.from(text);
  return Readable.from(
    Array.from({ length: Math.ceil(all.length / bytes) }, (_, index) =>
      all.subarray(index * bytes, (index + 1) * bytes),
    ),
  );
};

async function linesIn(text: string, bytes: number) {
  const lines = [];
  for await (const line of linesOf(await openText(chunksOf(text, bytes), 'utf-8'))) lines.push(line);
  return lines;
}

it('the lines of a file and their ends are the file, however it is cut', async () => {
  await fc.assert(
    fc.asyncProperty(content, fc.integer({ min: 1, max: 9 }), async (text, bytes) => {
      const lines = await linesIn(text, bytes);
      expect(lines.map((line) => line.text + line.end).join('')).toBe(text);
      expect(lines.map(({ number }) => number)).toEqual(lines.map((_, index) => index + 1));
    }),
    { numRuns: 500 },
  );
});

it('each line is in exactly one record, whatever quotes there are', async () => {
  await fc.assert(
    fc.asyncProperty(content, fc.func(fc.boolean()), async (text, fits) => {
      const lines = await linesIn(text, 1000);
      const records = [];
      for await (const record of recordsOf(Readable.from(lines), fits)) records.push(record);
      const numbers = records.flatMap(({ number, lines }) =>
        Array.from({ length: lines }, (_, index) => number + index),
      );
      expect(numbers).toEqual(lines.map(({ number }) => number));
    }),
    { numRuns: 500 },
  );
});

it('each line with a text belongs to one row: one that is a lead, or one that is rejected', async () => {
  await fc.assert(
    fc.asyncProperty(content, async (text) => {
      const file = `phone,email,comment\n${text}`;
      const options = { format: 'csv', leadTypeId: 'exclusive-aged', source: 'a list' } as const;
      const covered = new Set<number>();
      for await (const row of readLeadFile(chunksOf(file, 1000), options)) {
        const written = row.text.split(/\r\n|\r|\n/).length;
        for (let line = row.line; line < row.line + written; line += 1) {
          expect(covered).not.toContain(line);
          covered.add(line);
        }
      }
      const withText = (await linesIn(file, 1000)).slice(1).filter((line) => line.text.trim() !== '');
      for (const { number } of withText) expect(covered).toContain(number);
    }),
    { numRuns: 500 },
  );
});
