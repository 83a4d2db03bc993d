import {
  applyDecorators,
  type CallHandler,
  type ExecutionContext,
  Inject,
  Injectable,
  type NestInterceptor,
  UseInterceptors,
} from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiResponse } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { map } from 'rxjs';
import { z } from 'zod';
import type { Position } from '#event-store/port';
import { LARGEST_PAGE } from '#read-models/queries/paging';
import type { ReadModels } from '#read-models/read-models';
import { READ_MODELS } from '#wiring/tokens';
import { Answers, Problems } from './answers.ts';
import { CountInQuery, isPosition, LogPosition, Token } from './fields.ts';
import { Problem } from './problems.ts';

export class ReadQuery {
  @LogPosition({
    description: 'the position that a command answered with: the read reflects it, or says 503',
    example: '0000000000000042',
    optional: true,
  })
  waitFor?: string;
}

const USUAL_PAGE = 50;

export class PageQuery extends ReadQuery {
  @CountInQuery({ description: `items on a page; ${USUAL_PAGE} when absent`, maximum: LARGEST_PAGE, optional: true })
  limit?: number;

  @Token({ description: 'where the page before ended: its nextCursor', optional: true })
  cursor?: string;
}

/** What a query is asked with: the page, and what the rows must match. */
export function pageRequest<Query extends PageQuery & { fields?: string }>({
  waitFor: _,
  fields: __,
  limit = USUAL_PAGE,
  ...query
}: Query) {
  return { limit, ...query };
}

export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({
    items: z.array(item),
    nextCursor: z.string().optional().describe('give it as cursor for the next page; absent on the last one'),
  });

/** A page of a list whose query has `fields`. */
export const selectablePageOf = (item: z.ZodObject) => pageOf(item.partial());

interface ReadRoute<Schema extends z.ZodType> {
  readonly summary: string;
  readonly answer: Schema;
  readonly example: z.input<Schema>;
}

const ifNoneMatch = {
  name: 'If-None-Match',
  description: 'only if it is no longer this: ETags of earlier answers',
  required: false,
  schema: { type: 'string' as const },
};

/** A route that answers from the read models. */
export const ReadRoute = <Schema extends z.ZodType>({ summary, answer, example }: ReadRoute<Schema>) =>
  applyDecorators(
    UseInterceptors(WaitFor, Selection),
    ApiOperation({ summary }),
    ApiHeader(ifNoneMatch),
    Answers(200, 'what was asked for; its ETag begins with the revision, where it has one', answer, example),
    ApiResponse({ status: 304, description: 'the answer is still what If-None-Match names' }),
    Problems(400, 404, 503),
  );

/** Leaves of each item what `fields` names, once the validation has let them pass. */
class Selection implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler) {
    const { fields } = context.switchToHttp().getRequest<FastifyRequest<{ Querystring: { fields?: string } }>>().query;
    if (fields === undefined) return next.handle();
    return next.handle().pipe(
      map(({ items, ...page }) => {
        const names = fields.split(',');
        return {
          items: items.map((item: object) =>
            Object.fromEntries(Object.entries(item).filter(([n]) => names.includes(n))),
          ),
          ...page,
        };
      }),
    );
  }
}

const LONGEST_WAIT_MILLISECONDS = 5000;

/** Holds a read back until the read models reflect the position it names. */
@Injectable()
export class WaitFor implements NestInterceptor {
  readonly #readModels: ReadModels;

  constructor(@Inject(READ_MODELS) readModels: ReadModels) {
    this.#readModels = readModels;
  }

  async intercept(context: ExecutionContext, next: CallHandler) {
    const { waitFor } = context.switchToHttp().getRequest<FastifyRequest<{ Querystring: ReadQuery }>>().query;
    // Anything else is for the validation to refuse, which comes later.
    if (isPosition(waitFor)) await this.#reach(waitFor);
    return next.handle();
  }

  async #reach(position: Position): Promise<void> {
    if (await this.#readModels.waitFor(position, LONGEST_WAIT_MILLISECONDS)) return;
    throw new Problem(503, 'not-reached-yet', 'the read models do not reflect that position yet: ask again', {
      retryAfterSeconds: 1,
    });
  }
}
