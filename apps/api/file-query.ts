import { columnMapping } from '#requests/lead-files/column-mapping';
import { type NamedEncoding, namedEncodings } from '#requests/lead-files/encodings';
import { LeadFileError } from '#requests/lead-files/lead-file-row';
import { Line, OneOf } from './fields.ts';
import { encodingOf, formatOf } from './lead-batch.ts';
import { Problem } from './problems.ts';

/** How a file is read, whatever is in it. */
export class FileQuery {
  @OneOf(namedEncodings, {
    description:
      'The encoding of the file; when absent that of the Content-Type, else utf-8. UTF-16 is known by its byte order mark. Latin-1 is read as Windows-1252.',
    optional: true,
  })
  encoding?: NamedEncoding;

  @Line({
    description: 'The columns of CSV for fields whose columns have other names; a pair with a comma in it in quotes.',
    example: 'telephone=Mobile,email=Mail',
    maxLength: 2000,
    optional: true,
  })
  map?: string;

  @Line({
    description: 'The country of telephone numbers without one; US when absent.',
    example: 'GB',
    maxLength: 2,
    optional: true,
  })
  country?: string;
}

/** @throws Problem for a content type that is not read, LeadFileError */
export function fileOptions<Query extends FileQuery>(contentType: string | undefined, { map, ...query }: Query) {
  const format = formatOf(contentType);
  if (!format) throw notAFile();
  const columns = map === undefined ? [] : columnMapping(map);
  if (!columns) throw new LeadFileError('map is not field=Column,field=Column');
  return { ...query, format, columns, encoding: query.encoding ?? encodingOf(contentType) };
}

export const notAFile = () => new Problem('unsupported-media-type', 'files come as text/csv or application/x-ndjson');
