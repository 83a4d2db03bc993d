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
import { isVisitor } from '#domain/kernel/caller';
import type { Position } from '#event-store/port';
import { isPosition } from '#event-store/position-text';
import { LARGEST_PAGE, type Page } from '#read-models/queries/paging';
import type { ReadModels } from '#read-models/read-models';
import { READ_MODELS } from '#wiring/tokens';
import { CountInQuery, LogPosition, Token } from './fields.ts';
import { Problem } from './problems.ts';
import { answering, Problems, succeeds } from './responses.ts';
import { named } from './schemas.ts';

export class ReadQuery {
  @LogPosition({
    description: 'The position that a command answered with: the read reflects it, or answers 503.',
    example: '0000000000000042',
    optional: true,
  })
  waitFor?: string;
}

const USUAL_PAGE = 50;

export class PageQuery extends ReadQuery {
  @CountInQuery({ description: `Items on a page; ${USUAL_PAGE} when absent.`, maximum: LARGEST_PAGE, optional: true })
  limit?: number;

  @Token({ description: 'Where the previous page ended: its nextCursor.', optional: true })
  cursor?: string;
}

/** The page and the filters of a query. */
export function pageRequest<Query extends PageQuery & { fields?: string }>({
  waitFor: _,
  fields: __,
  limit = USUAL_PAGE,
  ...query
}: Query) {
  return { limit, ...query };
}

/** What every list answers. A list of `Order` items is named `OrderList` in the documentation. */
export const listOf = <Item extends z.ZodType>(item: Item) =>
  named(
    `${item.meta()?.id}List`,
    z
      .object({
        items: z.array(item).describe('The items of this page, in the order of the list.'),
        nextCursor: z.string().optional().describe('Send it as cursor to get the next page. Absent on the last page.'),
      })
      .describe('One page of a list.'),
  ) as z.ZodType<Page<z.output<Item>>, Page<z.input<Item>>>;

interface ReadRoute<Schema extends z.ZodType> {
  readonly summary: string;
  readonly answer: Schema;
  readonly example: z.input<Schema>;
}

const ifNoneMatch = {
  name: 'If-None-Match',
  description: 'ETags of earlier answers: an answer that is still the same comes without a body, as 304.',
  required: false,
  schema: { type: 'string' as const },
};

const notModified = ApiResponse({
  status: 304,
  description: 'The answer is still the one that If-None-Match names.',
});

/** A route that answers from the read models. */
export const ReadRoute = <Schema extends z.ZodType>({ summary, answer, example }: ReadRoute<Schema>) =>
  answering(
    answer,
    UseInterceptors(WaitFor, Selection),
    ApiOperation({ summary }),
    ApiHeader(ifNoneMatch),
    succeeds(200, 'Its ETag begins with the revision, where it has one.', answer, example),
    notModified,
    Problems(400, 401, 404, 503),
  );

interface FileRoute {
  readonly summary: string;
  readonly description: string;
  /** Its media type. */
  readonly type: string;
  readonly format?: 'binary';
  readonly example: string;
}

/** A route that answers a file, or a page to print, made of the read models. */
export const FileRoute = ({ summary, description, type, format, example }: FileRoute) =>
  applyDecorators(
    UseInterceptors(WaitFor),
    ApiOperation({ summary }),
    ApiHeader(ifNoneMatch),
    ApiResponse({
      status: 200,
      description,
      content: { [type]: { schema: { type: 'string', ...(format && { format }) }, example } },
    }),
    notModified,
    Problems(400, 401, 404, 503),
  );

/** Answers only the fields that `fields` names. The validation has checked them. */
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

const waitingNobody = new Problem('sign-in-needed', 'positions are for whoever is signed in: sign in first');

/** Delays a read until the read models reflect the position that it names. */
@Injectable()
export class WaitFor implements NestInterceptor {
  readonly #readModels: ReadModels;

  constructor(@Inject(READ_MODELS) readModels: ReadModels) {
    this.#readModels = readModels;
  }

  async intercept(context: ExecutionContext, next: CallHandler) {
    const { query, identity } = context.switchToHttp().getRequest<FastifyRequest<{ Querystring: ReadQuery }>>();
    // Which positions there are is for whoever has one: the length of the log tells what others do.
    if (query.waitFor !== undefined && isVisitor(identity.caller)) throw waitingNobody;
    // The validation runs later, and refuses anything else.
    if (isPosition(query.waitFor)) await this.#reach(query.waitFor);
    return next.handle();
  }

  async #reach(position: Position): Promise<void> {
    if (await this.#readModels.waitFor(position, LONGEST_WAIT_MILLISECONDS)) return;
    throw new Problem('not-reached-yet', 'the read models do not reflect that position yet: ask again', {
      retryAfterSeconds: 1,
    });
  }
}
