import { LeadgerError } from '#domain/kernel/leadger-error';
import { ANALYST, ANALYTICS } from './engine/views.ts';

/** Some rows of an answer; the first has the columns even when there are no rows. */
export interface Answer {
  readonly columns: readonly string[];
  /** PostgreSQL's numbers of the columns' types. */
  readonly types: readonly number[];
  readonly rows: readonly (readonly unknown[])[];
}

/** One connection to a database. */
export interface Connection {
  /** Of several statements at once, none is carried out. */
  ask(statement: string): Promise<Answer>;
  /** Takes back what was not committed. */
  close(): Promise<void>;
}

export interface AnalysisOptions {
  /** For each statement: the first rows, and each of the next. */
  readonly timeoutSeconds: number;
}

/** The database would not answer, or not in time. */
export class QueryFailed extends LeadgerError {
  constructor(reason: string) {
    super('query-failed', reason);
  }
}

const ROWS_AT_ONCE = 500;

/**
 * Answers a SELECT (or VALUES, or WITH) on the views of analysts, some rows at a time, as of one instant. The transaction
 * only reads, and its role sees nothing else. That keeps mistakes away, not their owner: who connects as somebody greater
 * can become that again.
 * @throws QueryFailed
 */
export async function* analyse(
  connect: () => Promise<Connection>,
  query: string,
  { timeoutSeconds }: AnalysisOptions,
): AsyncGenerator<Answer> {
  const connection = await connect();
  try {
    await connection.ask('BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY');
    await connection.ask(`SET LOCAL statement_timeout = '${timeoutSeconds}s'`);
    await connection.ask(`SET LOCAL search_path = ${ANALYTICS}`);
    await connection.ask(`SET LOCAL ROLE ${ANALYST}`);
    await connection.ask(`DECLARE answer NO SCROLL CURSOR FOR ${query}`);
    let answer: Answer;
    do {
      answer = await connection.ask(`FETCH ${ROWS_AT_ONCE} FROM answer`);
      yield answer;
    } while (answer.rows.length === ROWS_AT_ONCE);
  } catch (error) {
    throw new QueryFailed(reasonOf(error as Error & { code?: string }, timeoutSeconds));
  } finally {
    await connection.close();
  }
}

function reasonOf({ code, message }: Error & { code?: string }, timeoutSeconds: number): string {
  switch (code) {
    case '57014':
      return `the answer was not there after ${timeoutSeconds} s`;
    case '42501':
      return `${message}: only the views in the schema ${ANALYTICS} can be read`;
    case '42601':
      return `${message}: one SELECT is what can be asked`;
    case '22023':
      return `${message}: let somebody who may CREATE ROLE ${ANALYST}, and start the store again`;
    default:
      return message;
  }
}
