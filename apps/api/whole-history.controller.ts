import { Controller, Get, Inject, Query, UseGuards } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Queries } from '#requests/queries';
import type { RequestContext } from '#requests/request-tools';
import { streamEvent, streamEventExample } from '#requests/whole-history';
import { QUERIES } from '#wiring/tokens';
import { Asking } from './caller.ts';
import { IdOf } from './ids.ts';
import { LargeReads } from './quotas.ts';
import { listOf, PageQuery, pageRequest, ReadRoute } from './reads.ts';
import { Problems, RecordedRead } from './responses.ts';

@ApiTags('support')
@Controller('api/customers')
export class WholeHistoryController {
  readonly #queries: Queries;

  constructor(@Inject(QUERIES) queries: Queries) {
    this.#queries = queries;
  }

  @Get(':customerId/whole-history')
  @UseGuards(LargeReads)
  @ReadRoute({
    summary: 'All that happened to a customer, oldest first: support only, with a Leadger-Reason; recorded (SUP-2)',
    answer: listOf(streamEvent),
    example: { items: [streamEventExample] },
  })
  @RecordedRead()
  @Problems(429)
  listWholeHistory(@IdOf('customer') customerId: string, @Query() query: PageQuery, @Asking() context: RequestContext) {
    return this.#queries.support.listWholeHistory(context, { ...pageRequest(query), customerId });
  }
}
