import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import type { RowBatch } from '#read-models/engine/analysis';
import * as postgres from '#read-models/engine/parsers';
import { CommandFailed } from './command-failed.ts';
import { jsonOf } from './json.ts';

type SchemaElement = ConstructorParameters<typeof ParquetWriter>[0]['schema'][number];

interface ParquetType {
  readonly element: Omit<SchemaElement, 'name'>;
  readonly convert?: (value: never, column: string) => unknown;
}

const INSTANT = { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' } as const;
const LOCAL_TIME = { ...INSTANT, isAdjustedToUTC: false } as const;
const DOUBLE: ParquetType = { element: { type: 'DOUBLE' }, convert: Number };
const INT32: ParquetType = { element: { type: 'INT32' } };

/** Other types become text, as in CSV. A numeric may be longer than any Parquet type, so it becomes a double. */
const types: Readonly<Record<number, ParquetType>> = {
  [postgres.BOOLEAN]: { element: { type: 'BOOLEAN' } },
  [postgres.SMALLINT]: INT32,
  [postgres.INTEGER]: INT32,
  [postgres.BIGINT]: { element: { type: 'INT64' }, convert: BigInt },
  [postgres.REAL]: DOUBLE,
  [postgres.DOUBLE_PRECISION]: DOUBLE,
  [postgres.NUMERIC]: DOUBLE,
  [postgres.DATE]: { element: { type: 'INT32', converted_type: 'DATE' }, convert: date },
  [postgres.TIMESTAMP]: { element: { type: 'INT64', logical_type: LOCAL_TIME }, convert: date },
  [postgres.TIMESTAMPTZ]: { element: { type: 'INT64', logical_type: INSTANT }, convert: date },
};
const TEXT: ParquetType = {
  element: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  convert: (value: unknown) => (typeof value === 'string' ? value : jsonOf(value)),
};

/** So many rows are in memory at once. After a group is written, only its position in the file is kept. */
const ROWS_OF_A_GROUP = 20_000;

/** An answer as a Parquet file, in pieces. @throws CommandFailed for days and instants that Parquet cannot store */
export async function* parquetOf(answers: AsyncIterable<RowBatch>): AsyncGenerator<Uint8Array> {
  const bytes = new ByteWriter();
  let file: ParquetFile | undefined;
  for await (const answer of answers) {
    file ??= new ParquetFile(bytes, answer);
    for (const row of answer.rows) file.add(row);
    if (file.rows >= ROWS_OF_A_GROUP) {
      file.writeGroup();
      yield take(bytes);
    }
  }
  file?.finish();
  yield take(bytes);
}

class ParquetFile {
  rows = 0;
  readonly #writer: ParquetWriter;
  readonly #columns: { readonly name: string; readonly type: ParquetType; data: unknown[] }[];

  constructor(writer: ByteWriter, { columns, types: numbers }: RowBatch) {
    this.#columns = columns.map((name, index) => ({ name, type: types[numbers[index] as number] ?? TEXT, data: [] }));
    const root: SchemaElement = { name: 'root', num_children: columns.length };
    const elements = this.#columns.map(
      ({ name, type }): SchemaElement => ({ ...type.element, name, repetition_type: 'OPTIONAL' }),
    );
    this.#writer = new ParquetWriter({ writer, schema: [root, ...elements], createdBy: 'leadger' });
  }

  add(row: readonly unknown[]): void {
    this.rows += 1;
    for (const [index, { name, data, type }] of this.#columns.entries()) {
      const value = row[index];
      data.push(value === null || !type.convert ? value : type.convert(value as never, name));
    }
  }

  writeGroup(): void {
    const columnData = this.#columns.map(({ name, data }) => ({ name, data, offsetIndex: false }));
    this.#writer.write({ columnData, rowGroupSize: ROWS_OF_A_GROUP * 2 });
    for (const column of this.#columns) column.data = [];
    this.rows = 0;
  }

  finish(): void {
    if (this.rows > 0) this.writeGroup();
    this.#writer.finish();
  }
}

const CALENDAR = /^\+?(\d{4,6})(-\d\d-\d\d)(?:[ T](\d\d:\d\d:\d\d(?:\.\d+)?)Z?)?$/;

/**
 * A day or an instant as PostgreSQL or the ledger writes it. The year gets six digits and a sign, because JavaScript reads
 * other years wrongly (0044 as 2044).
 */
function date(written: string, column: string): Date {
  const [, year = '', day, time = '00:00:00'] = CALENDAR.exec(written) ?? [];
  const value = new Date(`+${year.padStart(6, '0')}${day}T${time}Z`);
  if (Number.isNaN(value.getTime()))
    throw new CommandFailed(
      `${column}: ${written} cannot be written to a Parquet file; cast it to text, or leave it out`,
    );
  return value;
}

/** A copy, because the writer reuses its buffer while ours may still wait to be written. */
function take(writer: ByteWriter): Uint8Array {
  const taken = writer.getBytes().slice();
  writer.index = 0;
  return taken;
}
