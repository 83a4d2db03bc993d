import type { PGlite } from '@electric-sql/pglite';
import { LRUCache } from 'lru-cache';
import { instantOf, TIMESTAMPTZ } from './parsers.ts';

/** There are few texts of statements: those of lists differ by their filters, not by the values. */
const MOST_STATEMENTS = 100;

/** The rows of a result as one text. */
export interface JsonRows {
  /** The names of the columns, and the values of each row in their order. */
  readonly json: string;
  /** Names of the columns with instants, which JSON has as PostgreSQL writes them. */
  readonly instants: readonly string[];
}

type Prepared = Pick<JsonRows, 'instants'> & { readonly name: string };

/**
 * The rows of a result, each an object with our names. All are copies of one object: adding many properties to an object
 * one by one is slow.
 */
export function rowsIn({ json, instants }: JsonRows): Record<string, unknown>[] {
  const { columns, rows } = JSON.parse(json) as { columns: string[]; rows: unknown[][] };
  const names = columns.map(camel);
  const read = columns.map((column) =>
    instants.includes(column) ? (value: unknown) => instantOf(value as string) : asIs,
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
 * SELECTs with plain values. Each is planned once, and its rows leave WebAssembly as one text. In PGlite, planning costs
 * more than finding a row by its key, and passing on fifty rows value by value costs more than finding them (measured).
 * Without names in each row the text is less than half as long. A result has at most a hundred columns.
 */
export class PreparedStatements {
  readonly #database: PGlite;
  readonly #statements = new LRUCache<string, Prepared>({ max: MOST_STATEMENTS });
  #made = 0;

  constructor(database: PGlite) {
    this.#database = database;
  }

  async query(text: string, parameters: readonly unknown[]): Promise<JsonRows> {
    const prepared = this.#statements.get(text) ?? (await this.#prepare(text));
    const values = parameters.length === 0 ? '' : `(${parameters.map(literal).join(', ')})`;
    const [answer] = await this.#database.exec(`EXECUTE ${prepared.name}${values}`);
    const [row] = (answer?.rows ?? []) as { json: string }[];
    if (!row) throw new Error('the database answered a SELECT with nothing');
    return { json: row.json, instants: prepared.instants };
  }

  async #prepare(text: string): Promise<Prepared> {
    await this.#makeRoom();
    const { resultFields } = await this.#database.describeQuery(text);
    this.#made += 1;
    const name = `statement_${this.#made}`;
    const columns = resultFields.map((field) => field.name);
    await this.#database.exec(`PREPARE ${name} AS ${asJson(text, columns)}`);
    const instants = resultFields.filter(({ dataTypeID }) => dataTypeID === TIMESTAMPTZ).map((field) => field.name);
    const prepared = { name, instants };
    this.#statements.set(text, prepared);
    return prepared;
  }

  async #makeRoom(): Promise<void> {
    if (this.#statements.size < MOST_STATEMENTS) return;
    const oldest = this.#statements.pop();
    if (oldest) await this.#database.exec(`DEALLOCATE ${oldest.name}`);
  }
}

function asJson(select: string, columns: readonly string[]): string {
  const aliases = columns.map((_, index) => `column_${index}`).join(', ');
  const head = `{"columns":${JSON.stringify(columns)},"rows":`;
  const values = `coalesce(json_agg(json_build_array(${aliases})), '[]')::text`;
  return `SELECT ${literal(head)} || ${values} || '}' AS json FROM (${select}) AS answer (${aliases})`;
}

const camelNames = new Map<string, string>();

/** `delivered_leads` → `deliveredLeads`. There are few names, and every answer needs them: each is made once. */
function camel(name: string): string {
  let made = camelNames.get(name);
  if (made === undefined) {
    made = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    camelNames.set(name, made);
  }
  return made;
}

/** Values that can be written as a literal. A text with NUL would end its statement. */
export const isPlain = (value: unknown): boolean =>
  value === null ||
  typeof value === 'boolean' ||
  Number.isFinite(value) ||
  (typeof value === 'string' && !value.includes('\0'));

/** As standard SQL writes it: in a string, only the quote itself has to be doubled. */
const literal = (value: unknown): string => (value === null ? 'NULL' : `'${String(value).replaceAll("'", "''")}'`);
