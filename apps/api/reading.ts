import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { RequestContext } from '#requests/request-tools';
import { readerOf } from './caller.ts';

/** Who reads, and why: the answer depends on it. */
export type Reader = RequestContext;

export const Reading = createParamDecorator(
  (_: unknown, context: ExecutionContext): Reader => readerOf(context.switchToHttp().getRequest<FastifyRequest>()),
);
