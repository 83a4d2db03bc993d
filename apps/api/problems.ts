import { STATUS_CODES } from 'node:http';
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { Logger } from 'pino';
import { DamagedEvent } from '#audit/replay';
import { UnreadableEvent } from '#domain/kernel/unreadable-event';
import { AppendTooLarge, BadEvent, OutcomeUnknown, StoreFull, StoreUnavailable } from '#event-store/port';
import { isOutOfReach } from '#read-models/engine/postgres';
import { AlreadyRebuilding, BadCursor, BeingBuilt, DatabaseGone, UnknownModel } from '#read-models/errors';
import { TooMuchContention } from '#requests/command-handler';
import { LeadFileError } from '#requests/lead-row';

export interface FieldError {
  /** Path of the field in the body, or the name of the header or query parameter. */
  readonly field: string;
  readonly message: string;
}

interface Particulars {
  /** Rule id of the store's rules. */
  readonly rule?: string | undefined;
  readonly errors?: readonly FieldError[] | undefined;
  readonly details?: Readonly<Record<string, string>> | undefined;
  readonly retryAfterSeconds?: number;
}

/** What went wrong, as the caller is told: a problem document (RFC 9457) with a stable `code`. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly particulars: Particulars;

  constructor(status: number, code: string, detail: string, particulars: Particulars = {}) {
    super(detail);
    this.status = status;
    this.code = code;
    this.particulars = particulars;
  }

  send(reply: FastifyReply): void {
    const { retryAfterSeconds } = this.particulars;
    if (retryAfterSeconds !== undefined) reply.header('retry-after', retryAfterSeconds);
    reply.status(this.status).type('application/problem+json').send(JSON.stringify(this.document()));
  }

  document() {
    const { rule, errors, details } = this.particulars;
    return {
      type: 'about:blank',
      title: STATUS_CODES[this.status],
      status: this.status,
      code: this.code,
      detail: this.message,
      ...(rule && { rule }),
      ...(errors && { errors }),
      ...(details && { details }),
    };
  }
}

export const malformed = (errors: readonly FieldError[]): Problem =>
  new Problem(400, 'invalid-request', errors.map(({ field, message }) => `${field}: ${message}`).join('; '), {
    errors,
  });

const storeErrors: readonly (readonly [new (...args: never[]) => Error, number, retryAfterSeconds?: number])[] = [
  [BadCursor, 400],
  [BadEvent, 400],
  [LeadFileError, 400],
  [AppendTooLarge, 413],
  [StoreUnavailable, 503, 5],
  [OutcomeUnknown, 503, 1],
  [TooMuchContention, 503, 1],
  [BeingBuilt, 503, 5],
  [DatabaseGone, 503, 5],
  [UnknownModel, 404],
  [AlreadyRebuilding, 409],
  [UnreadableEvent, 500],
  [DamagedEvent, 500],
  [StoreFull, 507],
];

/** What the server or Nest refuse before any of our code is asked: status → code and, where theirs says little, detail. */
const refusedEarly: Readonly<Record<number, readonly [code: string, detail?: string]>> = {
  400: ['malformed-request'],
  404: ['no-such-route', 'there is nothing here; see /api/docs'],
  413: ['body-too-large'],
  414: ['address-too-long'],
  415: ['unsupported-media-type', 'this route does not take that content type; see /api/docs'],
  431: ['headers-too-large'],
};

/** @returns undefined for an error that nobody foresaw: a defect of ours */
export function problemOf(error: unknown): Problem | undefined {
  if (error instanceof Problem) return error;
  if (isOutOfReach(error))
    return new Problem(503, 'read-models-unavailable', 'the database cannot be asked now', { retryAfterSeconds: 5 });
  for (const [type, status, retryAfterSeconds] of storeErrors) {
    if (!(error instanceof type)) continue;
    const { code, message } = error as Error & { code: string };
    return new Problem(status, code, message, {
      ...(type === BadCursor && { errors: [{ field: 'cursor', message }] }),
      ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    });
  }
  const status = error instanceof HttpException ? error.getStatus() : statusOf(error);
  const [code, detail] = refusedEarly[status ?? 500] ?? [];
  return code ? new Problem(status as number, code, detail ?? (error as Error).message) : undefined;
}

/** Errors of Fastify carry their status; what is 500 or more is none of the caller's business. */
const statusOf = (error: unknown): number | undefined =>
  error instanceof Error && 'statusCode' in error ? (error.statusCode as number) : undefined;

const unforeseen = new Problem(500, 'internal-error', 'something went wrong here; it was logged');

@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const problem = problemOf(error);
    if (!problem || problem.status === 500) this.#log.error({ err: error }, 'a request failed unexpectedly');
    (problem ?? unforeseen).send(host.switchToHttp().getResponse<FastifyReply>());
  }
}
