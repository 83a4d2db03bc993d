import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/** What is stated beside a file of leads in `test/files`, in `NAME.counts.json`. */
const stated = z.strictObject({
  about: z.string(),
  /** How the file is sent: parameters of the query, which are options of the command, too. */
  query: z
    .strictObject({
      encoding: z.literal('latin1').optional(),
      country: z.string().optional(),
      timeZone: z.string().optional(),
      map: z.string().optional(),
      unknownColumns: z.enum(['ignore', 'keep']).optional(),
    })
    .default({}),
  contentType: z.string().optional(),
  /** What became of the rows of a file that is read. */
  rows: z.int().optional(),
  taken: z.int().optional(),
  known: z.int().optional(),
  duplicate: z.int().optional(),
  rejected: z.int().optional(),
  /** How the file was read. */
  reading: z.record(z.string(), z.unknown()).optional(),
  /** Line → why it was rejected. */
  rejections: z.record(z.string(), z.string()).optional(),
  /** The contacts of all rows that are leads: their texts, with spaces between. */
  persons: z.array(z.string()).optional(),
  /** When they were captured. */
  captured: z.array(z.string().nullable()).optional(),
  /** Their evidence of consent. */
  consents: z.array(z.record(z.string(), z.string()).nullable()).optional(),
  /** Line → why a row that can be read is refused by the store. */
  refusals: z.record(z.string(), z.string()).optional(),
  /** Why the file as a whole is refused. */
  fails: z.string().optional(),
});

export interface StatedFile extends z.infer<typeof stated> {
  readonly name: string;
  readonly path: string;
  readonly bytes: Buffer;
}

const FOLDER = join(import.meta.dirname, 'files');
const STATED = '.counts.json';

/** The files of leads as people have them: encodings, delimiters, ends of lines, and the exports of tools. */
export const statedFiles: readonly StatedFile[] = readdirSync(FOLDER)
  .filter((name) => name.endsWith(STATED))
  .map((counts) => {
    const name = counts.slice(0, -STATED.length);
    const path = join(FOLDER, name);
    return { ...stated.parse(JSON.parse(readFileSync(path + STATED, 'utf8'))), name, path, bytes: readFileSync(path) };
  });
