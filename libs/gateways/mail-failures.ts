import type { Readable } from 'node:stream';
import { anyMailAnswerIn, type FailedMail } from '#domain/notifications/outcomes';
import { isAboutMail } from './mail-answers.ts';

export type SmtpError = Error & {
  code?: string;
  originalCode?: string;
  command?: string;
  response?: string;
  responseCode?: number;
};

/** A mail was not sent, or nobody knows whether it was. */
export class MailNotSent extends Error {
  readonly failed: FailedMail;
  /** There was no session with the server: other mails cannot be sent either. */
  readonly isAboutServer: boolean;
  /** The server works, and does not take this mail now: a full mailbox, for example. */
  readonly isAboutMail: boolean;

  constructor(cause: SmtpError, failed: FailedMail, isAboutServer: boolean) {
    super('the mail was not sent', { cause });
    this.failed = failed;
    this.isAboutServer = isAboutServer;
    this.isAboutMail = isAboutMail(cause);
  }
}

/** @param message the stream of the last attempt; undefined when it was not reached */
export function notSent(error: SmtpError, message: Readable | undefined): MailNotSent {
  const isAboutServer = message === undefined && ofConnections.has(error.code ?? '');
  return new MailNotSent(error, failureIn(error, message?.readableEnded ?? false), isAboutServer);
}

/** Of any gateway for mails. */
export const failedMailIn = (error: unknown): FailedMail =>
  error instanceof MailNotSent ? error.failed : { failure: 'failed' };

/** Of nodemailer: others are about the mail. */
const ofConnections: ReadonlySet<string> = new Set([
  'EABORT',
  'EAUTH',
  'ECONNECTION',
  'EDNS',
  'EPROTOCOL',
  'ESOCKET',
  'ETIMEDOUT',
  'ETLS',
]);

const NO_SAFE_CONNECTION = /TLS|CERT|SSL|SELF_SIGNED|UNABLE_TO_VERIFY/;

/** A server that got the whole mail and gave no answer may have taken it. */
function failureIn({ code, originalCode, responseCode, response }: SmtpError, isHandedOver: boolean): FailedMail {
  if (responseCode !== undefined) {
    const { enhanced } = anyMailAnswerIn(response ?? '');
    return { failure: 'answered', status: responseCode, ...(enhanced && { enhanced }) };
  }
  if (isHandedOver) return { failure: 'not-confirmed' };
  if (code === 'ETIMEDOUT' || code === 'EABORT') return { failure: 'no-answer' };
  if (code === 'EDNS') return { failure: 'name-unknown' };
  if (NO_SAFE_CONNECTION.test(`${code} ${originalCode}`)) return { failure: 'no-safe-connection' };
  return { failure: ofConnections.has(code ?? '') ? 'unreachable' : 'failed' };
}
