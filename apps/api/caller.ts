import { isUtf8 } from 'node:buffer';
import { hash, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ACTOR, type Caller, trialCaller } from '#domain/kernel/caller';
import { deriveId } from '#domain/kernel/ids';
import { isReason, normalText, REASON_FORM } from '#domain/kernel/text';
import type { RequestContext } from '#requests/request-tools';
import { revisionIn } from './conditional.ts';
import { malformed } from './problems.ts';

/** There is no sign-in yet. A request from this machine counts as staff of the store, unless its header names another actor. */
const DEFAULT_ACTOR = 'staff:local';

const matches = (pattern: RegExp) => (text: string) => pattern.test(text);

/** Header → its form. Each header is optional. The ETag of a read has a digest after the revision, if it has one. */
const headers = {
  'leadger-actor': [
    matches(ACTOR),
    'customer:ID, staff:ID or system:ID; an id has at most 64 letters, digits, dots, hyphens and underscores, and is no e-mail address',
  ],
  'leadger-reason': [isReason, REASON_FORM],
  'idempotency-key': [matches(/^[\x21-\x7e]{1,200}$/), '1 to 200 visible ASCII characters'],
  'if-match': [
    matches(/^(\*|"(-1|\d{1,15})(-[\w-]{43})?"|"[\w-]{43}")$/),
    'one ETag of an earlier answer, like "3", or *',
  ],
} as const;

/** Who asks, why, and under which command id, as the headers say. */
export const Asking = createParamDecorator(
  (_: unknown, context: ExecutionContext): RequestContext =>
    contextOf(context.switchToHttp().getRequest<FastifyRequest>()),
);

/** Who asks. This is the only place where callers are made, so sign-in belongs here. */
const callerOf = (request: FastifyRequest): Caller => trialCaller(headerOf(request, 'leadger-actor') ?? DEFAULT_ACTOR);

/** Whose notices are signed. It tells what happened, as the store's own processes do. */
export const paymentProvider: Caller = {
  kind: 'program',
  actor: 'system:payment-provider',
  roles: ['process'],
  stores: 'all',
  authenticated: 'signature',
};

/** All that follows from a request has the id of its command. */
function tracedAs(request: FastifyRequest, correlationId: string): Required<Pick<RequestContext, 'parent'>> {
  request.correlationId ||= correlationId;
  return { parent: { kind: 'request', id: correlationId, correlationId } };
}

const owner = trialCaller(DEFAULT_ACTOR);

/** The program itself reads, for nobody's request. */
export const reading = (): RequestContext => ({ caller: owner, commandId: randomUUID() });

/** Until there is sign-in, reads ignore the header: everyone reads as the owner of the machine. */
export function readerOf(request: FastifyRequest): RequestContext {
  const reason = headerOf(request, 'leadger-reason');
  return { caller: owner, commandId: request.id, ...tracedAs(request, request.id), ...(reason && { reason }) };
}

function contextOf(request: FastifyRequest): RequestContext {
  const caller = callerOf(request);
  const reason = headerOf(request, 'leadger-reason');
  const ifMatch = headerOf(request, 'if-match');
  const identity = identityOf(request, caller);
  return {
    caller,
    ...identity,
    ...tracedAs(request, identity.commandId),
    ...(!isFile(request) && { until: request.answerBy }),
    ...(reason && { reason }),
    ...(ifMatch && ifMatch !== '*' && { ifRevision: revisionIn(ifMatch) }),
  };
}

/**
 * With an Idempotency-Key, a repeat by the same actor on the same route is the same command. Without one, every request
 * is a new command. A file of leads needs no key: its rows are recognised by their content.
 */
function identityOf(request: FastifyRequest, { actor }: Caller): Pick<RequestContext, 'commandId' | 'requestHash'> {
  const key = headerOf(request, 'idempotency-key');
  if (key === undefined || isFile(request)) return { commandId: request.id };
  const path = request.url.split('?', 1)[0];
  return {
    commandId: deriveId('command', actor, `${request.method} ${path}`, key),
    requestHash: hash('sha256', canonical(request.body)),
  };
}

/** A file is read while its rows are carried out, which may take as long as it is. */
const isFile = ({ body }: FastifyRequest): boolean => body instanceof Readable;

function headerOf(request: FastifyRequest, name: keyof typeof headers): string | undefined {
  const value = request.headers[name];
  if (value === undefined) return undefined;
  const [isRight, description] = headers[name];
  const text = normalText(textOf(String(value)));
  if (isRight(text)) return text;
  throw malformed([{ field: name, message: `must be ${description}` }]);
}

/** Node reads each byte of a header as one character. That is right for Latin-1, but most programs send UTF-8. */
function textOf(value: string): string {
  const bytes = Buffer.from(value, 'latin1');
  return isUtf8(bytes) ? bytes.toString() : value;
}

/** JSON with sorted members, so that the order in which a client wrote them does not matter. */
function canonical(value: unknown): string {
  return JSON.stringify(value ?? null, (_, member) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}
