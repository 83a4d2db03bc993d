import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Caller } from '#domain/kernel/caller';
import { readerOf } from './caller.ts';

/** The caller of a read: the answer depends on it. */
export type Reader = Caller;

export const Reading = createParamDecorator(
  (_: unknown, context: ExecutionContext): Reader => readerOf(context.switchToHttp().getRequest<FastifyRequest>()),
);
