import type { PGlite } from '@electric-sql/pglite';
import { camel } from './model.ts';
import { instant, TIMESTAMPTZ } from './parsers.ts';

/** Texts of statements are few: those of lists differ by what is asked for, not by the values. */
const MOST_STATEMENTS = 100;

/** An answer as one text. */
export interface JsonRows {
  /** The names of the columns, and of each row the values in their order. */
  readonly json: string;
  /** Names of the columns that are instants: those are as PostgreSQL writes them in JSON. */
  readonly instants: readonly string[];
}

type Prepared = Pick<JsonRows, 'instants'> & { readonly name: string };

/**
 * The rows of an answer, each as an object with our names. All are copies of one: objects that get their many properties
 * one by one are slow to make.
 */
export function rowsIn({ json, instants }: JsonRows): Record<string, unknown>[] {
  const { columns, rows } = JSON.parse(json) as { columns: string[]; rows: unknown[][] };
  const names = columns.map(camel);
  const read = columns.map((column) =>
    instants.includes(column) ? (value: unknown) => instant(value as string) : asIs,
  );
  const empty = Object.fromEntries(names.map((name) => [name, null as unknown]));
  return rows.map((values) => {
    const row = { ...empty };
    values.forEach((value, place) => {
      if (value !== null) row[names[place] as string] = (read[place] as typeof asIs)(value);
    });
    return row;
  });
}

const asIs = (value: unknown): unknown => value;

/**
 * SELECTs with plain values. Each is planned once, and its rows leave WebAssembly as one text: for PGlite, planning costs
 * more than finding a row by its key, and handing over fifty rows value by value more than finding them (measured). Without
 * names in each row the text is less than half as long, and made in two thirds of the time. There may be a hundred columns.
 */
export class PreparedStatements {
  readonly #database: PGlite;
  /** By text; the one that was used longest ago is the first. */
  readonly #statements = new Map<string, Prepared>();
  #made = 0;

  constructor(database: PGlite) {
    this.#database = database;
  }

  async query(text: string, parameters: readonly unknown[]): Promise<JsonRows> {
    const prepared = this.#statements.get(text) ?? (await this.#prepare(text));
    this.#statements.delete(text);
    this.#statements.set(text, prepared);
    const values = parameters.length === 0 ? '' : `(${parameters.map(literal).join(', ')})`;
    const [answer] = await this.#database.exec(`EXECUTE ${prepared.name}${values}`);
    const [row] = (answer?.rows ?? []) as { json: string }[];
    if (!row) throw new Error('the database answered a SELECT with nothing');
    return { json: row.json, instants: prepared.instants };
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
    const head = `{"columns":${JSON.stringify(resultFields.map((field) => field.name))},"rows":`;
    const values = `coalesce(json_agg(json_build_array(${aliases.join(', ')})), '[]')::text`;
    await this.#database.exec(
      `PREPARE ${name} AS SELECT ${literal(head)} || ${values} || '}' AS json
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
