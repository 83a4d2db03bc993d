import { codeOf } from '#postgres/failures';
import { QUERY_CANCELED, QueryFailed } from '../errors.ts';
import { ANALYST, ANALYTICS } from './views.ts';

/** Some rows of the answer to an analyst's query. The first batch has the columns even when there are no rows. */
export interface RowBatch {
  readonly columns: readonly string[];
  /** PostgreSQL's numbers of the columns' types. */
  readonly types: readonly number[];
  readonly rows: readonly (readonly unknown[])[];
}

/** One connection to a database, for one query. */
export interface AnalystConnection {
  /** If there are several statements in the text, none is carried out. */
  ask(statement: string): Promise<RowBatch>;
  /** Rolls back what was not committed. */
  close(): Promise<void>;
}

export interface AnalysisOptions {
  /** For each statement: the first rows, and each of the next batches. */
  readonly timeoutSeconds: number;
}

const ROWS_AT_ONCE = 500;

/**
 * Answers a SELECT (or VALUES, or WITH) on the views of analysts, some rows at a time, as of one instant. The transaction
 * can only read, and its role sees nothing else. That prevents mistakes, not abuse: a user with more rights can take them
 * back.
 * @throws QueryFailed
 */
export async function* analyse(
  connect: () => Promise<AnalystConnection>,
  query: string,
  { timeoutSeconds }: AnalysisOptions,
): AsyncGenerator<RowBatch> {
  const connection = await connect();
  try {
    for (const statement of opening(query, timeoutSeconds)) await connection.ask(statement);
    let batch: RowBatch;
    do {
      batch = await connection.ask(`FETCH ${ROWS_AT_ONCE} FROM answer`);
      yield batch;
    } while (batch.rows.length === ROWS_AT_ONCE);
  } catch (error) {
    throw new QueryFailed(reasonOf(error as Error, timeoutSeconds));
  } finally {
    await connection.close();
  }
}

const opening = (query: string, timeoutSeconds: number): readonly string[] => [
  'BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY',
  `SET LOCAL statement_timeout = '${timeoutSeconds}s'`,
  `SET LOCAL search_path = ${ANALYTICS}`,
  `SET LOCAL ROLE ${ANALYST}`,
  `DECLARE answer NO SCROLL CURSOR FOR ${query}`,
];

function reasonOf(error: Error, timeoutSeconds: number): string {
  const { message } = error;
  switch (codeOf(error)) {
    case QUERY_CANCELED:
      return `there was no answer after ${timeoutSeconds} s`;
    case '42501':
      return `${message}: only the views in the schema ${ANALYTICS} can be read`;
    case '42601':
      return `${message}: a query is one SELECT`;
    case '22023':
      return `${message}: a database user with that right must CREATE ROLE ${ANALYST}; then start the store again`;
    default:
      return message;
  }
}
