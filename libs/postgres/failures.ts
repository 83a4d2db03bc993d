import { withoutPasswords } from '#domain/kernel/connection-string';
import { LeadgerError } from '#domain/kernel/leadger-error';

/** PostgreSQL cannot be reached now. A later try may succeed. */
export class PostgresAway extends LeadgerError {
  constructor(server: string, reason: string, what = 'cannot be reached') {
    super('postgres-away', `PostgreSQL at ${server} ${what}: ${reason}`);
  }
}

/** PostgreSQL refuses this program, or its address cannot be used. No later try succeeds until somebody changes that. */
export class PostgresRefused extends LeadgerError {
  constructor(server: string, reason: string) {
    super('postgres-refused', `PostgreSQL at ${server}: ${reason}`);
  }
}

/**
 * Connections that are refused or lost; a server that starts, stops, has no room, or is a standby that is not promoted
 * yet. A later try may succeed.
 */
const OUT_OF_REACH = /^(ECONN\w+|EPIPE|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOST\w+|ENET\w+|08...|53...|57P..|25006)$/;
/** Errors of the client that have no code. */
const WITHOUT_CODE =
  /^(Connection terminated|timeout expired|timeout exceeded when trying to connect|Client has encountered a connection error|Client was closed)/;

export const isOutOfReach = (error: unknown): boolean =>
  error instanceof PostgresAway ||
  (error instanceof Error && (OUT_OF_REACH.test(codeOf(error)) || WITHOUT_CODE.test(error.message)));

/**
 * The SQLSTATE of an error of a database, whichever database it is from, or the code of the connection to it. Codes of our own
 * errors are no such codes. Empty: it has none.
 */
export function codeOf(error: unknown): string {
  const { sqlState, code } = error as { readonly sqlState?: string; readonly code?: unknown };
  return sqlState ?? (error instanceof LeadgerError || typeof code !== 'string' ? '' : code);
}

const NOT_TRUSTED = 'its certificate is not trusted: name its authority with sslrootcert=FILE in the address';

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection is refused',
  ECONNRESET: 'the connection is broken off',
  ENOTFOUND: 'there is no host of this name',
  EAI_AGAIN: 'the name of the host cannot be looked up',
  ETIMEDOUT: 'no answer',
  EHOSTUNREACH: 'there is no way to this host',
  ENETUNREACH: 'there is no way to this network',
  DEPTH_ZERO_SELF_SIGNED_CERT: NOT_TRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: NOT_TRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: NOT_TRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: NOT_TRUSTED,
};

/** What an error means, for one line. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (/^(timeout|Connection terminated due to connection timeout)/.test(error.message)) return 'no answer';
  if (error.message.startsWith('Connection terminated')) return 'the connection is broken off';
  return withoutPasswords(REASONS[codeOf(error)] ?? error.message.replaceAll('\n', ' ')) || codeOf(error);
}

export const isSqlState = (code: string): boolean => /^[0-9A-Z]{5}$/.test(code);

/** Whether it is an error of the server or of the connection to it. Any other one is a defect of ours. */
export const isOfServer = (error: unknown): boolean =>
  isOutOfReach(error) || (error instanceof Error && isSqlState(codeOf(error)));

/** As an error of ours, which is printed in one line. */
export function explained(server: string, error: unknown): LeadgerError {
  if (error instanceof LeadgerError) return error;
  return isOutOfReach(error) ? new PostgresAway(server, reasonOf(error)) : new PostgresRefused(server, reasonOf(error));
}
