import type { Instant } from '#domain/kernel/events';
import type { LeadFileOptions } from '#requests/lead-files/lead-file-row';
import type { Chance } from './chance.ts';
import type { People, Person } from './people.ts';

/** A file of leads as people have them (docs/how-to/import-leads.md). */
export interface OddFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly options: LeadFileOptions;
}

type Write = (
  persons: readonly Person[],
  at: Instant,
) => Pick<OddFile, 'bytes'> & Partial<Pick<LeadFileOptions, 'format' | 'encoding'>>;

const HEADER = ['first name', 'last name', 'phone', 'email'];
const cellsOf = ({ firstName, lastName, telephone, email }: Person) => [firstName, lastName, telephone, email];
const NO_PERSON = ['Lou', 'Example', '12', 'not-an-address'];

/** With the first person once more, and once under another address, and a row that is no lead. */
const rowsOf = (persons: readonly Person[]): string[][] =>
  [...persons, ...persons.slice(0, 1), ...persons.slice(0, 1).map(elsewhere)].map(cellsOf).concat([NO_PERSON]);

const elsewhere = (person: Person): Person => ({ ...person, email: `other.${person.email}` });

const table = (rows: readonly (readonly string[])[], delimiter: string, lineEnd: string): string =>
  [HEADER, ...rows].map((cells) => `${cells.join(delimiter)}${lineEnd}`).join('');

const LITTLE_MARK = '\ufeff';

/** As Meta exports lead ads: marks in front of numbers, one column for the whole name. */
const leadAd = ({ firstName, lastName, telephone, email }: Person, index: number, at: Instant): string =>
  [
    `l:${index}`,
    at.replace('.000Z', '+00:00'),
    'ag:1',
    'f:1',
    'false',
    'fb',
    `${firstName} ${lastName}`,
    email,
    `p:${telephone}`,
  ].join('\t');

/** By the name of the file. */
const written: Readonly<Record<string, Write>> = {
  'utf-16.csv': (persons) => ({ bytes: Buffer.from(LITTLE_MARK + table(rowsOf(persons), '\t', '\r\n'), 'utf16le') }),
  'old-mac.csv': (persons) => ({ bytes: Buffer.from(table(rowsOf(persons), ',', '\r')) }),
  'semicolons.csv': (persons) => ({
    bytes: Buffer.from(
      table([['Zo\u00eb', 'M\u00fcller', '', 'zoe.m@example.org'], ...rowsOf(persons)], ';', '\r\n'),
      'latin1',
    ),
    encoding: 'latin1',
  }),
  'lead-ads.csv': (persons, at) => ({
    bytes: Buffer.from(
      `${LITTLE_MARK}id\tcreated_time\tad_id\tform_id\tis_organic\tplatform\tfull_name\temail\tphone_number\n${persons.map((person, index) => leadAd(person, index, at)).join('\n')}`,
      'utf16le',
    ),
  }),
  'nul.csv': (persons) => ({
    bytes: Buffer.from(table([...rowsOf(persons), ['B\0b', 'Example', '+1 212 555 0142', '']], ',', '\n')),
  }),
  'half-characters.csv': (persons) => ({
    bytes: Buffer.from(
      LITTLE_MARK + table([['B\ud83d', 'Example', '+1 212 555 0142', ''], ...rowsOf(persons)], ',', '\r\n'),
      'utf16le',
    ),
  }),
  'damaged-utf-8.csv': (persons) => ({
    bytes: Buffer.concat([
      Buffer.from(table([...rowsOf(persons), ['Jos\u00e9', 'Example', '+1 212 555 0142', '']], ',', '\n')),
      Buffer.from([0x52, 0x65, 0x6e, 0xc3, 0x2c, 0x58, 0x2c, 0x31, 0x32, 0x2c, 0x0a]),
    ]),
  }),
  'objects.jsonl': (persons) => ({
    bytes: Buffer.from(
      persons
        .map(({ firstName, telephone, email }) => JSON.stringify({ contact: { firstName, telephone, email } }))
        .concat('{"contact":{"firstName":"\\ud800","telephone":"+1 212 555 0142"}}', 'none')
        .join('\n'),
    ),
    format: 'ndjson',
  }),
};

export const SOURCE_OF_FILES = 'file ';
const PERSONS_OF_A_FILE = 6;

/** One file a day, from the first day on. @returns undefined when all have come */
export function oddFileOn(day: number, at: Instant, chance: Chance, people: People): OddFile | undefined {
  const [name, write] = Object.entries(written)[day] ?? [];
  if (name === undefined || write === undefined) return undefined;
  const someone = chance.of(name);
  const persons = Array.from({ length: PERSONS_OF_A_FILE }, () => people.someone(someone));
  const { bytes, ...options } = write(persons, at);
  return {
    name,
    bytes,
    options: { format: 'csv', ...options, leadTypeId: 'exclusive-fresh', source: `${SOURCE_OF_FILES}${name}` },
  };
}
