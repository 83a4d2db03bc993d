import { STATUS_CODES } from 'node:http';
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { errorCodes } from '#apps/error-codes';
import { isVisitor } from '#domain/kernel/caller';
import { withoutPasswords } from '#domain/kernel/connection-string';
import type { Refusal } from '#domain/kernel/decider';
import { LeadgerError } from '#domain/kernel/leadger-error';
import { UnreadableEvent } from '#domain/kernel/unreadable-event';
import { StreamDamaged } from '#event-store/damage';
import {
  AppendTooLarge,
  BadEvent,
  DamagedEvent,
  NoSuchPosition,
  OutcomeUnknown,
  StoreFull,
  StoreUnavailable,
  StreamAccessRefused,
} from '#event-store/port';
import { BadSignature, MalformedNotice, NoNotices } from '#gateways/payment-notices';
import { BadMailSecret, NoSupportMail } from '#gateways/support-mail';
import { isOutOfReach } from '#postgres/failures';
import { AlreadyRebuilding, BadCursor, BeingBuilt, DatabaseGone, UnknownModel } from '#read-models/errors';
import { TooMuchContention } from '#requests/addressed-command';
import { LeadFileError } from '#requests/lead-files/lead-file-row';
import { TooManyPasswords } from '#requests/password-hash';
import { RequestRefused } from '#requests/rights';
import { ErasureIncomplete } from '#vault/key-store';
import { PersonErased } from '#vault/vault';

export interface FieldError {
  /** Path of the field in the body, or the name of the header or query parameter. */
  readonly field: string;
  readonly message: string;
}

interface Particulars {
  /** Where it is another than the usual one of the code. */
  readonly status?: number;
  /** Rule id of the store's rules. */
  readonly rule?: string | undefined;
  readonly errors?: readonly FieldError[] | undefined;
  readonly details?: Readonly<Record<string, string>> | undefined;
  readonly retryAfterSeconds?: number;
}

/** What went wrong: a problem document (RFC 9457) with a stable `code`. The status is the one of the code's table. */
export class Problem extends LeadgerError {
  readonly status: number;
  readonly particulars: Particulars;

  constructor(code: string, detail: string, particulars: Particulars = {}) {
    super(code, detail);
    this.status = particulars.status ?? errorCodes[code]?.status ?? 409;
    this.particulars = particulars;
  }

  send(reply: FastifyReply): void {
    const { retryAfterSeconds } = this.particulars;
    if (retryAfterSeconds !== undefined) reply.header('retry-after', retryAfterSeconds);
    if (this.status === 401) reply.header('www-authenticate', 'Bearer realm="leadger"');
    reply.status(this.status).type('application/problem+json').send(JSON.stringify(this.document()));
  }

  document() {
    const { rule, errors, details } = this.particulars;
    const { whatToDo } = errorCodes[this.code] ?? {};
    return {
      type: 'about:blank',
      title: STATUS_CODES[this.status],
      status: this.status,
      code: this.code,
      detail: withoutPasswords(this.message),
      ...(this.status === 409 && whatToDo && { whatToDo }),
      ...(rule && { rule }),
      ...(errors && { errors }),
      ...(details && { details }),
    };
  }
}

/** A refusal as a problem. Where the path names the field that it is about, that resource does not exist. */
export function problemOfRefusal(
  { code, message, rule, details, field = errorCodes[code]?.field }: Refusal,
  params: Readonly<Record<string, string>>,
): Problem {
  if (field !== undefined && field in params) return new Problem(code, message, { status: 404 });
  const errors = field === undefined ? undefined : [{ field, message }];
  return new Problem(code, message, { rule, errors, details });
}

/** Ask again: a payment provider sends its notice again by itself. */
export const notYet = (detail: string): Problem => new Problem('not-reached-yet', detail, { retryAfterSeconds: 5 });

export function malformed(all: readonly FieldError[]): Problem {
  const errors = all.slice(0, MOST_ERRORS).map(({ field, message }) => ({ field: shortened(field), message }));
  const more = all.length > errors.length ? [`and ${all.length - errors.length} more`] : [];
  return new Problem(
    'invalid-request',
    [...errors.map(({ field, message }) => `${field}: ${message}`), ...more].join('; '),
    {
      errors,
    },
  );
}

/** An answer is for people, and no longer than they read. */
const MOST_ERRORS = 100;
const LONGEST_FIELD = 200;
const shortened = (field: string): string =>
  field.length > LONGEST_FIELD ? `${field.slice(0, LONGEST_FIELD).toWellFormed()}…` : field;

/** Our own errors that the API answers as they are, with the seconds after which a client may ask again. */
const answeredErrors: readonly (readonly [new (...args: never[]) => LeadgerError, retryAfterSeconds?: number])[] = [
  [BadCursor],
  [BadEvent],
  [NoSuchPosition],
  [LeadFileError],
  [AppendTooLarge],
  [BadSignature],
  [MalformedNotice],
  [NoNotices],
  [BadMailSecret],
  [NoSupportMail],
  [StoreUnavailable, 5],
  [OutcomeUnknown, 1],
  [TooMuchContention, 1],
  [BeingBuilt, 5],
  [DatabaseGone, 5],
  [UnknownModel],
  [AlreadyRebuilding],
  [UnreadableEvent],
  [DamagedEvent],
  [StreamDamaged],
  [StreamAccessRefused],
  [StoreFull],
  [PersonErased],
  [ErasureIncomplete, 5],
  [TooManyPasswords, 2],
];

/** What Fastify or Nest refuse before our code runs: status → code and, where their message says little, detail. */
const refusedEarly: Readonly<Record<number, readonly [code: string, detail?: string]>> = {
  400: ['malformed-request'],
  404: ['no-such-route', 'there is no such route; see /api/docs'],
  413: ['body-too-large'],
  414: ['address-too-long'],
  415: ['unsupported-media-type', 'this route does not take that content type; see /api/docs'],
  431: ['headers-too-large'],
};

const UNAVAILABLE = 'store-unavailable';

/** @returns undefined for an unforeseen error: a defect of ours */
export const problemOf = (error: unknown): Problem | undefined =>
  error instanceof Problem ? error : (answered(error) ?? outOfReach(error) ?? early(error));

/** What no sign-in changes. */
const refusedToAll: readonly string[] = ['not-from-here', 'origin-refused', 'trial-only', 'first-account-token-wrong'];

/** Who said nothing of themselves may do it once they sign in. What is refused earlier has no identity yet. */
function unlessNobody(problem: Problem, { identity }: Partial<Pick<FastifyRequest, 'identity'>>): Problem {
  const isNobody = identity && isVisitor(identity.caller);
  if (problem.status !== 403 || !isNobody || refusedToAll.includes(problem.code)) return problem;
  return new Problem('sign-in-needed', `${problem.message}: sign in first, or send the key of a program`);
}

/** Where it is not known whether a command was recorded, with the key under which it may be sent again. */
function problemFor(error: unknown, { headers }: FastifyRequest): Problem | undefined {
  const problem = problemOf(error);
  const idempotencyKey = headers['idempotency-key'];
  if (!(error instanceof OutcomeUnknown && problem && typeof idempotencyKey === 'string')) return problem;
  return new Problem(problem.code, problem.message, { ...problem.particulars, details: { idempotencyKey } });
}

function answered(error: unknown): Problem | undefined {
  for (const [type, retryAfterSeconds] of answeredErrors) {
    if (!(error instanceof type)) continue;
    const { message } = error;
    // Why it is unavailable is the operator's business.
    const code = error instanceof StoreUnavailable ? UNAVAILABLE : error.code;
    const field = errorCodes[code]?.field;
    return new Problem(code, message, {
      ...(type === BadCursor && field && { errors: [{ field, message }] }),
      ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    });
  }
  return undefined;
}

function outOfReach(error: unknown): Problem | undefined {
  if (!isOutOfReach(error)) return undefined;
  return new Problem('read-models-unavailable', 'the database of the read models cannot be reached now', {
    retryAfterSeconds: 5,
  });
}

function early(error: unknown): Problem | undefined {
  const status = error instanceof HttpException ? error.getStatus() : statusOf(error);
  const [code, detail] = refusedEarly[status ?? 500] ?? [];
  return code ? new Problem(code, detail ?? (error as Error).message) : undefined;
}

/** Errors of Fastify carry their status. */
const statusOf = (error: unknown): number | undefined =>
  error instanceof Error && 'statusCode' in error ? (error.statusCode as number) : undefined;

const unforeseen = new Problem('internal-error', 'the server has a defect; it was logged');

@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest<{ Params: Record<string, string> }>>();
    const found =
      error instanceof RequestRefused ? problemOfRefusal(error.refusal, request.params) : problemFor(error, request);
    const problem = found && unlessNobody(found, request);
    if (!problem || problem.status === 500)
      this.#log.error({ err: error, correlationId: request.correlationId }, 'a request failed unexpectedly');
    (problem ?? unforeseen).send(host.switchToHttp().getResponse<FastifyReply>());
  }
}
