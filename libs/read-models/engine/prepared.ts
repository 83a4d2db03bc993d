import type { PGlite } from '@electric-sql/pglite';
import { camel } from './model.ts';
import { instant, TIMESTAMPTZ } from './parsers.ts';

/** Texts of statements are few: those of lists differ by what is asked for, not by the values. */
const MOST_STATEMENTS = 100;

/** An answer as one text. */
export interface JsonColumns {
  /** An object that has an array of values for each column. */
  readonly json: string;
  /** Names of the columns that are instants: those are as PostgreSQL writes them in JSON. */
  readonly instants: readonly string[];
}

type Prepared = Pick<JsonColumns, 'instants'> & { readonly name: string };

/**
 * The rows of an answer, each as an object with our names. All are copies of one: objects that get their many properties
 * one by one are slow to make.
 */
export function rowsIn({ json, instants }: JsonColumns): Record<string, unknown>[] {
  const columns = Object.entries<unknown[]>(JSON.parse(json));
  const empty = Object.fromEntries(columns.map(([column]) => [camel(column), null as unknown]));
  const rows = columns[0]?.[1].map(() => ({ ...empty })) ?? [];
  for (const [column, values] of columns) {
    const name = camel(column);
    const read = instants.includes(column) ? (value: unknown) => instant(value as string) : undefined;
    rows.forEach((row, place) => {
      const value = values[place];
      if (value !== null) row[name] = read ? read(value) : value;
    });
  }
  return rows;
}

/**
 * SELECTs with plain values. Each is planned once, and its rows leave WebAssembly as one text: for PGlite, planning costs
 * more than finding a row by its key, and handing over fifty rows value by value more than finding them (measured). By
 * columns the text is less than half as long as by rows with their names, and made and read in half the time. No column
 * may be of arrays.
 */
export class PreparedStatements {
  readonly #database: PGlite;
  /** By text; the one that was used longest ago is the first. */
  readonly #statements = new Map<string, Prepared>();
  #made = 0;

  constructor(database: PGlite) {
    this.#database = database;
  }

  async query(text: string, parameters: readonly unknown[]): Promise<JsonColumns> {
    const prepared = this.#statements.get(text) ?? (await this.#prepare(text));
    this.#statements.delete(text);
    this.#statements.set(text, prepared);
    const values = parameters.length === 0 ? '' : `(${parameters.map(literal).join(', ')})`;
    const [answer] = await this.#database.exec(`EXECUTE ${prepared.name}${values}`);
    const [row] = (answer?.rows ?? []) as { columns: string }[];
    if (!row) throw new Error('the database answered a SELECT with nothing');
    return { json: row.columns, instants: prepared.instants };
  }

  async #prepare(text: string): Promise<Prepared> {
    const [oldest] = this.#statements;
    if (oldest && this.#statements.size === MOST_STATEMENTS) {
      this.#statements.delete(oldest[0]);
      await this.#database.exec(`DEALLOCATE ${oldest[1].name}`);
    }
    const { resultFields } = await this.#database.describeQuery(text);
    this.#made += 1;
    const name = `statement_${this.#made}`;
    const aliases = resultFields.map((_, index) => `column_${index}`);
    const columns = resultFields.map(
      (field, index) => `${literal(field.name)}, coalesce(array_agg(${aliases[index]}), '{}')`,
    );
    await this.#database.exec(
      `PREPARE ${name} AS SELECT json_build_object(${columns.join(', ')})::text AS columns
        FROM (${text}) AS answer (${aliases.join(', ')})`,
    );
    const instants = resultFields.filter(({ dataTypeID }) => dataTypeID === TIMESTAMPTZ).map((field) => field.name);
    return { name, instants };
  }
}

/** What can be written as a literal. A text with NUL would end the statement that it stands in. */
export const isPlain = (value: unknown): boolean =>
  value === null ||
  typeof value === 'boolean' ||
  Number.isFinite(value) ||
  (typeof value === 'string' && !value.includes('\0'));

/** As standard SQL writes it: in a string, only the quote itself has to be doubled. */
const literal = (value: unknown): string => (value === null ? 'NULL' : `'${String(value).replaceAll("'", "''")}'`);
