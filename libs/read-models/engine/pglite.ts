import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from 'kysely';
import { RecentlyUsed } from '#domain/kernel/recently-used';
import type { Answer, Connection } from '../analysis.ts';
import type { NamedResult } from './names.ts';
import type { DatabaseReply, Statement } from './pglite-worker.ts';
import { isPlain, rowsIn } from './prepared.ts';
import { copyTemplate } from './template.ts';

/** The database said no, or is gone. */
export class DatabaseError extends Error {
  /** SQLSTATE, where the database gave one. */
  readonly code: string | undefined;
  constructor(message: string, code?: string) {
    super(message);
    this.code = code;
  }
}

/** As PostgreSQL says it when a statement timeout is over. */
export const QUERY_CANCELED = '57014';

const fromSource = import.meta.url.endsWith('.ts');

type Rows = Pick<Extract<DatabaseReply, { kind: 'rows' }>, 'rows' | 'columns' | 'types' | 'affected'>;

interface Asked {
  readonly resolve: (rows: Rows) => void;
  readonly reject: (error: Error) => void;
}

const MOST_ANSWERS = 100;
/** Of an answer that is kept: a usual page, and the row that tells that there is a next one. */
const MOST_ROWS_KEPT = 51;

/** PGlite in a worker thread, as the main thread sees it: one connection that many take turns at. */
export class PgliteThread implements DatabaseConnection {
  readonly #worker: Worker;
  readonly #ready = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  readonly #asked = new Map<number, Asked>();
  #lastId = 0;
  /** Rows by question, until anything else is asked of the database: it may be a change. */
  #answers = new RecentlyUsed<string, readonly unknown[]>(MOST_ANSWERS);
  #over: DatabaseError | undefined;
  /** Ends when whoever has the connection gives it back. */
  #turn: Promise<void> = Promise.resolve();
  #giveBack: () => void = () => {};

  /** @param directory undefined: in memory. @throws DatabaseError */
  static async start(directory: string | undefined): Promise<PgliteThread> {
    if (directory !== undefined && !existsSync(directory) && !(await copyTemplate(directory))) {
      // Making a database takes memory that only the end of its thread gives back.
      const maker = new PgliteThread(directory);
      await maker.#ready.promise;
      await maker.close();
    }
    const thread = new PgliteThread(directory);
    await thread.#ready.promise;
    return thread;
  }

  constructor(directory: string | undefined) {
    this.#worker = new Worker(new URL(`./pglite-worker.${fromSource ? 'ts' : 'js'}`, import.meta.url), {
      workerData: { directory },
      execArgv: fromSource ? ['--conditions=source', '--no-warnings'] : [],
      resourceLimits: { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 128 },
    });
    this.#worker.on('message', (reply: DatabaseReply) => this.#hear(reply));
    this.#worker.on('error', (error) => this.#end(`the database failed: ${error.message}`));
    this.#worker.on('exit', () => {
      this.#end('the database has ended');
      this.#ended.resolve();
    });
  }

  async takeTurn(): Promise<this> {
    const before = this.#turn;
    const mine = Promise.withResolvers<void>();
    this.#turn = mine.promise;
    await before;
    this.#giveBack = mine.resolve;
    return this;
  }

  giveBack(): void {
    this.#giveBack();
  }

  async executeQuery<Row>({ sql, parameters, query }: CompiledQuery): Promise<QueryResult<Row>> {
    const oftenAsked = query.kind === 'SelectQueryNode' && parameters.every(isPlain);
    if (oftenAsked) return this.#askAgain<Row>(sql, parameters);
    this.#answers = new RecentlyUsed(MOST_ANSWERS);
    const { rows, affected } = await this.#ask(sql, parameters);
    return { rows: rows as Row[], numAffectedRows: BigInt(affected) };
  }

  async #askAgain<Row>(sql: string, parameters: readonly unknown[]): Promise<NamedResult<Row>> {
    const question = JSON.stringify([sql, parameters]);
    let rows: readonly unknown[] | undefined = this.#answers.get(question);
    if (!rows) {
      rows = (await this.#ask(sql, parameters, 'json')).rows;
      if (rows.length <= MOST_ROWS_KEPT) {
        rows.forEach(Object.freeze);
        this.#answers.set(question, Object.freeze(rows));
      }
    }
    return { rows: rows as Row[], named: true };
  }

  async *streamQuery<Row>(query: CompiledQuery): AsyncIterableIterator<QueryResult<Row>> {
    yield await this.executeQuery<Row>(query);
  }

  /**
   * A connection for one question. The database works as long as a statement takes, and looks at no clock meanwhile: one
   * that takes too long is ended with the whole thread.
   */
  async connect(timeoutMilliseconds: number): Promise<Connection> {
    await this.takeTurn();
    const ask = async (statement: string): Promise<Answer> => {
      this.#answers = new RecentlyUsed(MOST_ANSWERS);
      const tooLong = setTimeout(() => {
        this.#end('the statement took too long', QUERY_CANCELED);
        void this.#worker.terminate();
      }, timeoutMilliseconds);
      try {
        const { columns, types, rows } = await this.#ask(statement, [], 'lists');
        return { columns, types, rows: rows as unknown[][] };
      } finally {
        clearTimeout(tooLong);
      }
    };
    return {
      ask,
      close: async () => {
        if (!this.#over) await ask('ROLLBACK');
        this.giveBack();
      },
    };
  }

  async close(): Promise<void> {
    if (!this.#over) {
      await this.takeTurn();
      this.#worker.postMessage('close');
      this.#over = new DatabaseError('the read models were closed');
      this.giveBack();
    }
    await this.#ended.promise;
  }

  #ask(sql: string, parameters: readonly unknown[], as?: Statement['as']) {
    return new Promise<Rows>((resolve, reject) => {
      if (this.#over) {
        reject(this.#over);
        return;
      }
      this.#lastId += 1;
      this.#asked.set(this.#lastId, { resolve, reject });
      this.#worker.postMessage({ id: this.#lastId, sql, parameters, ...(as && { as }) } satisfies Statement);
    });
  }

  #hear(reply: DatabaseReply): void {
    switch (reply.kind) {
      case 'ready':
        this.#ready.resolve();
        return;
      case 'cannot-open':
        this.#ready.reject(new DatabaseError(reply.message));
        return;
      case 'closed':
        return;
      default: {
        const asked = this.#asked.get(reply.id);
        this.#asked.delete(reply.id);
        if (reply.kind === 'rows') asked?.resolve(reply);
        else if (reply.kind === 'json') asked?.resolve({ rows: rowsIn(reply), columns: [], types: [], affected: 0 });
        else asked?.reject(new DatabaseError(reply.message, reply.code));
      }
    }
  }

  #end(message: string, code?: string): void {
    this.#over ??= new DatabaseError(message, code);
    this.#ready.reject(this.#over);
    for (const { reject } of this.#asked.values()) reject(this.#over);
    this.#asked.clear();
  }
}

/** Lets Kysely speak to PGlite as it speaks to PostgreSQL. */
export class PgliteDialect implements Dialect {
  readonly #thread: PgliteThread;

  constructor(thread: PgliteThread) {
    this.#thread = thread;
  }

  createAdapter = () => new PostgresAdapter();
  createDriver = (): Driver => new PgliteDriver(this.#thread);
  createIntrospector = (database: ConstructorParameters<typeof PostgresIntrospector>[0]) =>
    new PostgresIntrospector(database);
  createQueryCompiler = () => new PostgresQueryCompiler();
}

class PgliteDriver implements Driver {
  readonly #thread: PgliteThread;

  constructor(thread: PgliteThread) {
    this.#thread = thread;
  }

  async init(): Promise<void> {}

  acquireConnection = () => this.#thread.takeTurn();

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('BEGIN'));
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('COMMIT'));
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('ROLLBACK'));
  }

  async releaseConnection(): Promise<void> {
    this.#thread.giveBack();
  }

  destroy = () => this.#thread.close();
}
