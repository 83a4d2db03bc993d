import { z } from 'zod';

export type ColumnType = 'text' | 'integer' | 'bigint' | 'double precision' | 'timestamptz' | 'jsonb' | 'boolean';

const columnTypes = z.registry<{ readonly sql: ColumnType }>();

function typed<Schema extends z.ZodType>(schema: Schema, sql: ColumnType): Schema {
  columnTypes.add(schema, { sql });
  return schema;
}

/**
 * The kinds of fields that rows are made of. Each is a schema, for the type and for the API, that knows its column in
 * the database. `.nullable()` makes the column nullable; `.describe()` comes last and says what the field means.
 */
export const column = {
  id: () => typed(z.string(), 'text'),
  text: () => typed(z.string(), 'text'),
  oneOf: <const Values extends readonly string[]>(values: Values) => typed(z.enum(values), 'text'),
  /** ISO 8601 in UTC with milliseconds. */
  instant: () => typed(z.string().meta({ format: 'date-time' }), 'timestamptz'),
  /** A calendar day in the time zone of the order. Stored as text, as analysts know it. */
  localDay: () => typed(z.string().meta({ format: 'date' }), 'text'),
  count: () => typed(z.int(), 'integer'),
  cents: () => typed(z.int(), 'bigint'),
  /** A number that need not be whole. */
  number: () => typed(z.number(), 'double precision'),
  flag: () => typed(z.boolean(), 'boolean'),
  json: <Schema extends z.ZodType>(schema: Schema) => typed(schema, 'jsonb'),
  /** The revision of the stream that the row is about. The engine keeps it. */
  revision: () => typed(z.int(), 'integer').describe('Revision of the stream: the ETag, and what If-Match compares.'),
};

/** @throws TypeError for a field that was not made by `column` */
export function columnTypeOf(name: string, field: z.ZodType): ColumnType {
  const type = columnTypes.get(field instanceof z.ZodNullable ? (field.unwrap() as z.ZodType) : field);
  if (!type) throw new TypeError(`the field ${name} has no column type: make it with column.…()`);
  return type.sql;
}
