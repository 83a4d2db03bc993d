/**
 * What is written of an error into a log, or kept as the last error of a process. Errors of databases and parsers quote the
 * values that they failed on, and those may be a person's (ADR 20). So only their kind, their code and the places in our code
 * are told.
 */
interface ErrorText {
  readonly type: string;
  readonly code?: string;
  readonly message: string;
  /** The places, without the message. */
  readonly stack: string;
  readonly cause?: ErrorText;
}

const MOST_CAUSES = 5;

/** All other fields of an error are left out: `detail` and `where` of PostgreSQL, `parameters` of a client, `input` of a parser. */
export function errorTextOf(error: unknown, mostCauses = MOST_CAUSES): ErrorText {
  if (!(error instanceof Error))
    return { type: typeof error, message: 'something that is no error was thrown', stack: '' };
  const code = codeOf(error);
  return {
    type: error.constructor.name,
    ...(code !== undefined && { code }),
    message: messageWithoutValues(error),
    stack: placesOf(error),
    ...(error.cause !== undefined && mostCauses > 0 && { cause: errorTextOf(error.cause, mostCauses - 1) }),
  };
}

export function messageWithoutValues(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = codeOf(error);
  if (code !== undefined && SQLSTATE.test(code)) return `the database refused a statement (SQLSTATE ${code})`;
  return error instanceof SyntaxError ? 'a text that could not be parsed' : error.message;
}

export const stackWithoutValues = (error: Error): string =>
  [`${error.name}: ${messageWithoutValues(error)}`, placesOf(error)].filter(Boolean).join('\n');

/** PostgreSQL may quote a value in the message itself: "invalid input syntax for type date: …". */
const SQLSTATE = /^(\d[\dA-Z]|F0|HV|P0|XX)[\dA-Z]{3}$/;

function codeOf(error: Error): string | undefined {
  const { sqlState, code } = error as { readonly sqlState?: unknown; readonly code?: unknown };
  return [sqlState, code].find((one) => typeof one === 'string');
}

const PLACE = /^\s+at /;
const placesOf = ({ stack = '' }: Error): string =>
  stack
    .split('\n')
    .filter((line) => PLACE.test(line))
    .join('\n');
