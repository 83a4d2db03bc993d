import { getSystemErrorMap } from 'node:util';
import { codesOf } from '#domain/notifications/outcomes';
import { MailNotSent } from './mail-failures.ts';

/**
 * What is told of a failed call to a service outside: codes. The texts of errors and answers may repeat an address, a
 * host or a token.
 */
export function failureIn(error: unknown): string {
  const { statusCode, responseCode, code, cause, detail } = error as Failure;
  if (error instanceof MailNotSent && error.failed.status !== undefined) return `it answered${codesOf(error.failed)}`;
  if (error instanceof MailNotSent) return failureIn(error.cause);
  const status = [statusCode, responseCode].find((one) => typeof one === 'number' && one >= 100 && one <= 599);
  if (status !== undefined) return `it answered ${status}`;
  const known = [code, codeOf(cause), codeOf(detail)].find((one) => codes.has(one));
  return known === undefined ? 'it failed' : `it failed with ${known}`;
}

/** Errors of Stripe, of nodemailer, and of Node.js; only some of them have a given member. */
interface Failure {
  readonly statusCode?: unknown;
  readonly responseCode?: unknown;
  readonly code?: unknown;
  readonly cause?: unknown;
  /** The error of the connection, in those of Stripe. */
  readonly detail?: unknown;
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);

/** A service outside can put anything where a code is expected. */
const codes: ReadonlySet<unknown> = new Set([
  ...[...getSystemErrorMap().values()].map(([name]) => name),
  'ENOTFOUND',
  // Of nodemailer.
  ...['EAUTH', 'ECONNECTION', 'EDNS', 'EENVELOPE', 'EMESSAGE', 'EPROTOCOL', 'ESOCKET', 'ETLS'],
  // Of TLS.
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);
