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
import { archiveOfTemplate, copyTemplate } from './template.ts';

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

type Manner = Pick<Statement, 'as' | 'begin'>;

type Rows = Pick<Extract<DatabaseReply, { kind: 'rows' }>, 'rows' | 'columns' | 'types' | 'affected'>;

interface Asked {
  readonly resolve: (rows: Rows) => void;
  readonly reject: (error: Error) => void;
}

const MOST_ANSWERS = 100;
/** Of an answer that is kept: a usual page, and the row that tells that there is a next one. */
const MOST_ROWS_KEPT = 51;

/** PGlite in a worker thread, as the main thread sees it: it carries out one statement after the other, as they were asked. */
export class PgliteThread {
  readonly #worker: Worker;
  readonly #ready = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  readonly #asked = new Map<number, Asked>();
  #lastId = 0;
  /** Rows by question, until anything else is asked of the database: it may be a change. */
  #answers = new RecentlyUsed<string, readonly unknown[]>(MOST_ANSWERS);
  #over: DatabaseError | undefined;
  /** Ends when whoever asks gives the next one the turn. */
  #turn: Promise<void> = Promise.resolve();

  /** @param directory undefined: in memory. @throws DatabaseError */
  static async start(directory: string | undefined): Promise<PgliteThread> {
    if (directory !== undefined && !existsSync(directory) && !copyTemplate(directory)) {
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
      workerData: { directory, archive: directory === undefined ? archiveOfTemplate() : undefined },
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

  /** Until the turn is given back, what anybody else asks comes later. */
  async takeTurn(): Promise<Turn> {
    const before = this.#turn;
    const mine = Promise.withResolvers<void>();
    this.#turn = mine.promise;
    await before;
    return new Turn(this, mine.resolve);
  }

  /** A statement that may change something. */
  ask(sql: string, parameters: readonly unknown[] = [], how: Manner = {}): Promise<Rows> {
    this.#answers = new RecentlyUsed(MOST_ANSWERS);
    return this.#post(sql, parameters, how);
  }

  /** The rows of a SELECT with plain values, by our names. They are others' too, and cannot be changed. */
  async askAgain(sql: string, parameters: readonly unknown[], how: Manner): Promise<readonly unknown[]> {
    // What is asked for while the database works at this answer may be a change.
    const answers = this.#answers;
    const question = JSON.stringify([sql, parameters]);
    const known = answers.get(question);
    if (known && !how.begin) return known;
    const { rows } = await this.#post(sql, parameters, { ...how, as: 'json' });
    if (rows.length <= MOST_ROWS_KEPT) {
      rows.forEach(Object.freeze);
      answers.set(question, Object.freeze(rows));
    }
    return rows;
  }

  /**
   * A connection for one question. The database works as long as a statement takes, and looks at no clock meanwhile: one
   * that takes too long is ended with the whole thread.
   */
  async connect(timeoutMilliseconds: number): Promise<Connection> {
    const turn = await this.takeTurn();
    // What was asked before may still be worked at: that is not the time of this question.
    await this.ask('SELECT').catch((error: Error) => {
      turn.giveBack();
      throw error;
    });
    const ask = async (statement: string): Promise<Answer> => {
      const tooLong = setTimeout(() => {
        this.#end('the statement took too long', QUERY_CANCELED);
        void this.#worker.terminate();
      }, timeoutMilliseconds);
      try {
        const { columns, types, rows } = await this.ask(statement, [], { as: 'lists' });
        return { columns, types, rows: rows as unknown[][] };
      } finally {
        clearTimeout(tooLong);
      }
    };
    return {
      ask,
      close: async () => {
        if (!this.#over) await ask('ROLLBACK');
        turn.giveBack();
      },
    };
  }

  async close(): Promise<void> {
    if (!this.#over) {
      const turn = await this.takeTurn();
      this.#worker.postMessage('close');
      this.#over = new DatabaseError('the read models were closed');
      turn.giveBack();
    }
    await this.#ended.promise;
  }

  #post(sql: string, parameters: readonly unknown[], how: Manner): Promise<Rows> {
    return new Promise<Rows>((resolve, reject) => {
      if (this.#over) {
        reject(this.#over);
        return;
      }
      this.#lastId += 1;
      this.#asked.set(this.#lastId, { resolve, reject });
      this.#worker.postMessage({ id: this.#lastId, sql, parameters, ...how } satisfies Statement);
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

/**
 * The one connection, in the hands of one who asks. Whoever begins a transaction keeps it until that is ended; all others
 * pass it on with their question, so that the database has its next one while this one's rows are read.
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
    const done = begun ? this.#thread.ask(statement) : undefined;
    this.giveBack();
    await done;
  }

  giveBack(): void {
    this.#passOn();
  }

  async executeQuery<Row>({ sql, parameters, query }: CompiledQuery): Promise<QueryResult<Row>> {
    const how: Manner = this.#transaction === 'wanted' ? { begin: true } : {};
    if (this.#transaction === 'wanted') this.#transaction = 'begun';
    if (query.kind === 'SelectQueryNode' && parameters.every(isPlain)) {
      const rows = this.#thread.askAgain(sql, parameters, how);
      if (this.#transaction === 'none') this.giveBack();
      return { rows: (await rows) as Row[], named: true } satisfies NamedResult<Row> as QueryResult<Row>;
    }
    const answer = this.#thread.ask(sql, parameters, how);
    if (this.#transaction === 'none') this.giveBack();
    const { rows, affected } = await answer;
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
