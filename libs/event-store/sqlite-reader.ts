import Database from 'better-sqlite3';
import { openOrExplain } from './open-or-explain.ts';

type Value = string | number;

/**
 * Reads a SQLite file: the log, or the keys. SQLite finds damage only when it reads the damaged page, so that any read may
 * fail. Each failure says in one line what is wrong with which directory.
 * @throws CannotOpenStore from every function
 */
export class SqliteReader {
  readonly #directory: string;
  readonly #database: Database.Database;
  readonly #statements = new Map<string, Database.Statement<unknown[], unknown>>();

  constructor(directory: string, file: string) {
    this.#directory = directory;
    this.#database = openOrExplain(directory, () => new Database(file, { readonly: true }));
  }

  get = <Row>(sql: string, ...values: readonly Value[]): Row | undefined =>
    openOrExplain(this.#directory, () => this.#prepare<Row>(sql).get(...values));

  all = <Row>(sql: string, ...values: readonly Value[]): Row[] =>
    openOrExplain(this.#directory, () => this.#prepare<Row>(sql).all(...values));

  /** Reads rows as long as they are taken. */
  while = <Row>(takes: (row: Row) => boolean, sql: string, ...values: readonly Value[]): void =>
    openOrExplain(this.#directory, () => {
      for (const row of this.#prepare<Row>(sql).iterate(...values)) if (!takes(row)) return;
    });

  hasTable = (name: string): boolean => this.get('SELECT 1 FROM sqlite_schema WHERE name = ?', name) !== undefined;

  /** A number that changes when another connection writes to the file. */
  dataVersion = (): number =>
    openOrExplain(this.#directory, () => this.#database.pragma('data_version', { simple: true })) as number;

  close(): void {
    this.#database.close();
  }

  #prepare<Row>(sql: string): Database.Statement<unknown[], Row> {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement as Database.Statement<unknown[], Row>;
  }
}
