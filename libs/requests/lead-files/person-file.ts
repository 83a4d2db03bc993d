import type { CountryOfNumbers } from '#domain/leads/telephone';
import { openText } from './encodings.ts';
import { countryIn, namesIn } from './header.ts';
import { rowsOfCsv } from './lead-csv.ts';
import { type FileReading, type FileRow, fileRowOf } from './lead-file-row.ts';
import { type FileLine, linesOf } from './lines.ts';
import { columnsOfPersons, type PersonFileOptions, personHeader } from './person-header.ts';
import { damaged, type PersonOfRow, personOfCells, personOfDamagedRow, personOfObject } from './person-of-row.ts';

export type PersonFileRow = FileRow<{ readonly person: PersonOfRow }>;

/**
 * Reads persons from the bytes of a file, in constant memory, as leads are read. But all telephone numbers and all e-mail
 * addresses of a row count, in whatever columns they are, and a damaged row is read as far as it can be: one that is overlooked
 * would be sold.
 * @param told is told how the file is read, before the first row
 * @throws LeadFileError for a header that cannot be understood
 */
export async function* readPersonFile(
  bytes: AsyncIterable<Uint8Array>,
  options: PersonFileOptions,
  told: (reading: FileReading) => void = () => {},
): AsyncGenerator<PersonFileRow> {
  const country = countryIn(options);
  const text = await openText(bytes, options.encoding ?? 'utf-8');
  const { encoding } = text;
  if (options.format === 'ndjson') {
    told({ encoding, ignoredColumns: [], keptColumns: [] });
    yield* personsOfNdjson(linesOf(text), country);
    return;
  }
  yield* rowsOfCsv(linesOf(text), {
    header(line, delimiter) {
      const header = personHeader(namesIn(line, delimiter, options), options, country);
      told({ encoding, ...columnsOfPersons(header) });
      return header;
    },
    said: (header, cells) => personOfCells(header, cells, country),
    saidByDamaged: (header, readable, damage) => personOfDamagedRow(header, readable, damage, country),
  });
}

async function* personsOfNdjson(
  lines: AsyncIterable<FileLine>,
  country: CountryOfNumbers,
): AsyncGenerator<PersonFileRow> {
  for await (const line of lines) {
    if (line.text.trim() === '') continue;
    const read = (text: string) => personOfObject(JSON.parse(text), country);
    yield fileRowOf(
      line,
      () => read(line.text),
      (readable, damage) => damaged(read(readable), damage),
    );
  }
}
