import type { PGlite } from '@electric-sql/pglite';
import { TIMESTAMPTZ } from './parsers.ts';

/** Texts of statements are few: those of lists differ by what is asked for, not by the values. */
const MOST_STATEMENTS = 100;

/** The rows of an answer as a JSON array, in which instants are as PostgreSQL writes them in JSON. */
export interface JsonRows {
  readonly json: string;
  /** Names of the columns that are instants. */
  readonly instants: readonly string[];
}

interface Prepared {
  readonly name: string;
  readonly instants: readonly string[];
}

/**
 * SELECTs with plain values. Each is planned once, and its rows leave WebAssembly as one text: for PGlite, planning costs
 * more than finding a row by its key, and handing over fifty rows value by value more than finding them (measured).
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
    const statement = this.#statements.get(text) ?? (await this.#prepare(text));
    this.#statements.delete(text);
    this.#statements.set(text, statement);
    const values = parameters.length === 0 ? '' : `(${parameters.map(literal).join(', ')})`;
    const [answer] = await this.#database.exec(`EXECUTE ${statement.name}${values}`);
    const [row] = (answer?.rows ?? []) as { rows: string }[];
    if (!row) throw new Error('the database answered a SELECT with nothing');
    return { json: row.rows, instants: statement.instants };
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
    await this.#database.exec(
      `PREPARE ${name} AS SELECT coalesce(json_agg(answer.*), '[]')::text AS rows FROM (${text}) AS answer`,
    );
    const instants = resultFields.filter(({ dataTypeID }) => dataTypeID === TIMESTAMPTZ).map((field) => field.name);
    return { name, instants };
  }
}

/** What can be written as a literal. */
export const isPlain = (value: unknown): boolean =>
  value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);

/** As standard SQL writes it: in a string, only the quote itself has to be doubled. */
const literal = (value: unknown): string => (value === null ? 'NULL' : `'${String(value).replaceAll("'", "''")}'`);
