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
import { LRUCache } from 'lru-cache';
import { DatabaseGone, QUERY_CANCELED, StatementRefused } from '../errors.ts';
import type { AnalystConnection, RowBatch } from './analysis.ts';
import type { NamedResult } from './names.ts';
import type { DatabaseReply, Statement, WhatToOpen } from './pglite-worker.ts';
import { isPlain, rowsIn } from './prepared.ts';
import { archiveOfTemplate, compiledPostgres, copyTemplate } from './template.ts';

const fromSource = import.meta.url.endsWith('.ts');

type StatementOptions = Pick<Statement, 'as' | 'begin'>;

type StatementResult = Pick<Extract<DatabaseReply, { kind: 'rows' }>, 'rows' | 'columns' | 'types' | 'affected'>;

interface PendingStatement {
  readonly resolve: (result: StatementResult) => void;
  readonly reject: (error: Error) => void;
}

const MOST_RESULTS = 100;
/** Larger results are not kept. This is a usual page, and the row that shows that there is a next one. */
const MOST_ROWS_KEPT = 51;

/** PGlite in a worker thread, as the main thread sees it: it carries out one statement after the other, in their order. */
export class PgliteThread {
  readonly #worker: Worker;
  readonly #ready = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  readonly #pending = new Map<number, PendingStatement>();
  #lastId = 0;
  /** Rows by SELECT, until another kind of statement comes: it may change rows. */
  readonly #results = new LRUCache<string, readonly unknown[]>({ max: MOST_RESULTS });
  /** Statements so far that may have changed rows. */
  #changes = 0;
  #over: DatabaseGone | undefined;
  /** Resolves when the current holder of the turn releases it. */
  #turn: Promise<void> = Promise.resolve();

  /**
   * @param directory undefined: in memory
   * @param tables those that a new database should have (see template.ts)
   * @throws DatabaseGone
   */
  static async start(directory: string | undefined, tables = ''): Promise<PgliteThread> {
    const postgres = await compiledPostgres();
    if (directory !== undefined && !existsSync(directory) && !copyTemplate(directory, tables)) {
      // Making a database takes memory that is freed only when its thread ends.
      const maker = new PgliteThread({ postgres, directory, archive: undefined });
      await maker.#ready.promise;
      await maker.close();
    }
    const archive = directory === undefined ? archiveOfTemplate(tables) : undefined;
    const thread = new PgliteThread({ postgres, directory, archive });
    await thread.#ready.promise;
    return thread;
  }

  constructor(whatToOpen: WhatToOpen) {
    this.#worker = new Worker(new URL(`./pglite-worker.${fromSource ? 'ts' : 'js'}`, import.meta.url), {
      workerData: whatToOpen,
      execArgv: fromSource ? ['--conditions=source', '--no-warnings'] : [],
      resourceLimits: { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 128 },
    });
    this.#worker.on('message', (reply: DatabaseReply) => this.#receive(reply));
    this.#worker.on('error', (error) => this.#end(`the database failed: ${error.message}`));
    this.#worker.on('exit', () => {
      this.#end('the database has ended');
      this.#ended.resolve();
    });
  }

  /** Until the turn is given back, the statements of all others wait. */
  async takeTurn(): Promise<Turn> {
    const before = this.#turn;
    const mine = Promise.withResolvers<void>();
    this.#turn = mine.promise;
    await before;
    return new Turn(this, mine.resolve);
  }

  /** A statement that may change something. */
  execute(sql: string, parameters: readonly unknown[] = [], options: StatementOptions = {}): Promise<StatementResult> {
    this.#changes += 1;
    this.#results.clear();
    return this.#post(sql, parameters, options);
  }

  /** The rows of a SELECT with plain values, by our names. Several callers may share them: they are frozen. */
  async select(sql: string, parameters: readonly unknown[], options: StatementOptions): Promise<readonly unknown[]> {
    const changes = this.#changes;
    const question = JSON.stringify([sql, parameters]);
    const known = this.#results.get(question);
    if (known && !options.begin) return known;
    const { rows } = await this.#post(sql, parameters, { ...options, as: 'json' });
    // Rows that may have changed meanwhile are not kept.
    if (rows.length <= MOST_ROWS_KEPT && changes === this.#changes) {
      rows.forEach(Object.freeze);
      this.#results.set(question, Object.freeze(rows));
    }
    return rows;
  }

  /**
   * A connection for one question of an analyst. While the database works, it looks at no clock: a statement that takes
   * too long is ended together with the whole thread.
   */
  async connect(timeoutMilliseconds: number): Promise<AnalystConnection> {
    const turn = await this.takeTurn();
    // Earlier statements may still be running: their time does not count for this question.
    await this.execute('SELECT').catch((error: Error) => {
      turn.giveBack();
      throw error;
    });
    const ask = (statement: string) => this.#askInTime(statement, timeoutMilliseconds);
    return {
      ask,
      close: async () => {
        if (!this.#over) await ask('ROLLBACK');
        turn.giveBack();
      },
    };
  }

  async #askInTime(statement: string, timeoutMilliseconds: number): Promise<RowBatch> {
    const tooLong = setTimeout(() => {
      this.#end('the statement took too long', QUERY_CANCELED);
      void this.#worker.terminate();
    }, timeoutMilliseconds);
    try {
      const { columns, types, rows } = await this.execute(statement, [], { as: 'lists' });
      return { columns, types, rows: rows as unknown[][] };
    } finally {
      clearTimeout(tooLong);
    }
  }

  async close(): Promise<void> {
    if (!this.#over) {
      const turn = await this.takeTurn();
      this.#worker.postMessage('close');
      this.#over = new DatabaseGone('the read models were closed');
      turn.giveBack();
    }
    await this.#ended.promise;
  }

  #post(sql: string, parameters: readonly unknown[], options: StatementOptions): Promise<StatementResult> {
    return new Promise((resolve, reject) => {
      if (this.#over) {
        reject(this.#over);
        return;
      }
      this.#lastId += 1;
      this.#pending.set(this.#lastId, { resolve, reject });
      this.#worker.postMessage({ id: this.#lastId, sql, parameters, ...options } satisfies Statement);
    });
  }

  #receive(reply: DatabaseReply): void {
    switch (reply.kind) {
      case 'ready':
        this.#ready.resolve();
        return;
      case 'cannot-open':
        this.#ready.reject(new DatabaseGone(reply.message));
        return;
      case 'closed':
        return;
      default:
        this.#settle(reply);
    }
  }

  #settle(reply: Extract<DatabaseReply, { readonly id: number }>): void {
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if (reply.kind === 'rows') pending?.resolve(reply);
    else if (reply.kind === 'json') pending?.resolve({ rows: rowsIn(reply), columns: [], types: [], affected: 0 });
    else pending?.reject(new StatementRefused(reply.message, reply.code));
  }

  #end(message: string, sqlState?: string): void {
    this.#over ??= new DatabaseGone(message, sqlState);
    this.#ready.reject(this.#over);
    for (const { reject } of this.#pending.values()) reject(this.#over);
    this.#pending.clear();
  }
}

/**
 * The one connection. One caller uses it at a time, and then releases it to the next. A caller that begins a transaction keeps
 * it until the transaction ends. Others release it with their statement, so that the database has the next one while the rows of this one are read.
 */
class Turn implements DatabaseConnection {
  readonly #thread: PgliteThread;
  readonly #passOn: () => void;
  #transaction: 'none' | 'wanted' | 'begun' = 'none';

  constructor(thread: PgliteThread, passOn: () => void) {
    this.#thread = thread;
    this.#passOn = passOn;
  }

  /** A transaction begins with its first statement: one message less. */
  begin(): void {
    this.#transaction = 'wanted';
  }

  async end(statement: 'COMMIT' | 'ROLLBACK'): Promise<void> {
    const begun = this.#transaction === 'begun';
    this.#transaction = 'none';
    const done = begun ? this.#thread.execute(statement) : undefined;
    this.giveBack();
    await done;
  }

  giveBack(): void {
    this.#passOn();
  }

  async executeQuery<Row>({ sql, parameters, query }: CompiledQuery): Promise<QueryResult<Row>> {
    const options: StatementOptions = this.#transaction === 'wanted' ? { begin: true } : {};
    if (this.#transaction === 'wanted') this.#transaction = 'begun';
    if (query.kind === 'SelectQueryNode' && parameters.every(isPlain)) {
      const rows = this.#thread.select(sql, parameters, options);
      if (this.#transaction === 'none') this.giveBack();
      return { rows: (await rows) as Row[], named: true } satisfies NamedResult<Row> as QueryResult<Row>;
    }
    const result = this.#thread.execute(sql, parameters, options);
    if (this.#transaction === 'none') this.giveBack();
    const { rows, affected } = await result;
    return { rows: rows as Row[], numAffectedRows: BigInt(affected) };
  }

  async *streamQuery<Row>(query: CompiledQuery): AsyncIterableIterator<QueryResult<Row>> {
    yield await this.executeQuery<Row>(query);
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
  beginTransaction = async (turn: Turn) => turn.begin();
  commitTransaction = (turn: Turn) => turn.end('COMMIT');
  rollbackTransaction = (turn: Turn) => turn.end('ROLLBACK');
  releaseConnection = async (turn: Turn) => turn.giveBack();
  destroy = () => this.#thread.close();
}
