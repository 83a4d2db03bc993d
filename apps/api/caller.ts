import { hash, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { type Caller, trialCaller } from '#domain/kernel/caller';
import { deriveId } from '#domain/kernel/ids';
import type { RequestContext } from '#requests/request-tools';
import { revisionIn } from './conditional.ts';
import { headerOf } from './headers.ts';
import { DEFAULT_ACTOR } from './who-asks.ts';

/** Who asks, why, and under which command id. */
export const Asking = createParamDecorator(
  (_: unknown, context: ExecutionContext): RequestContext =>
    contextOf(context.switchToHttp().getRequest<FastifyRequest>()),
);

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

export function readerOf(request: FastifyRequest): RequestContext {
  const reason = headerOf(request, 'leadger-reason');
  const { caller } = request.identity;
  return { caller, commandId: request.id, ...tracedAs(request, request.id), ...(reason && { reason }) };
}

function contextOf(request: FastifyRequest): RequestContext {
  const { caller } = request.identity;
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

/** JSON with sorted members, so that the order in which a client wrote them does not matter. */
function canonical(value: unknown): string {
  return JSON.stringify(value ?? null, (_, member) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}
