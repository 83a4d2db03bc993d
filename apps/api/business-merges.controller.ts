import { Body, Controller, Get, Inject, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { exampleIds } from '#read-models/models/examples';
import { businessMerge, businessMergeExample, businessMergeStatuses } from '#requests/business-merges';
import type { Queries } from '#requests/queries';
import type { RequestContext } from '#requests/request-tools';
import type { Requests } from '#requests/requests';
import { QUERIES, REQUESTS } from '#wiring/tokens';
import { Asking } from './caller.ts';
import { Id, OneOf } from './fields.ts';
import { IdOf } from './ids.ts';
import { type Reader, Reading } from './reading.ts';
import { listOf, PageQuery, pageRequest, ReadRoute } from './reads.ts';
import { CommandRoute, Problems } from './responses.ts';

class MergeBusinessesBody {
  @Id({ description: 'A customer of the one business.', example: exampleIds.customerId })
  customerId!: string;

  @Id({ description: 'A customer of the other business.', example: exampleIds.otherCustomerId })
  otherCustomerId!: string;
}

class BusinessMergesQuery extends PageQuery {
  @OneOf(businessMergeStatuses, {
    description: 'Merges that hold, or that were taken back; those that hold when absent.',
    example: 'taken-back',
    optional: true,
  })
  status?: (typeof businessMergeStatuses)[number];
}

/** Businesses with different names that are one (DLV-3). */
@ApiTags('business-merges')
@Controller('api/business-merges')
export class BusinessMergesController {
  readonly #requests: Requests;
  readonly #queries: Queries;

  constructor(@Inject(REQUESTS) requests: Requests, @Inject(QUERIES) queries: Queries) {
    this.#requests = requests;
    this.#queries = queries;
  }

  @Post()
  @CommandRoute({
    summary:
      'Merge the businesses that two customers work for: from now on, no lead goes to both (DLV-3). Support only, with a Leadger-Reason',
    idName: 'mergeId',
    records: ['BusinessesMerged'],
    creates: '/api/business-merges',
  })
  mergeBusinesses(@Body() body: MergeBusinessesBody, @Asking() context: RequestContext) {
    return this.#requests.businessMerges.merge(body, context);
  }

  @Post(':mergeId/take-back')
  @CommandRoute({
    summary: 'Take a merge of businesses back: from now on, they are two again. Support only, with a Leadger-Reason',
    idName: 'mergeId',
    records: ['BusinessMergeTakenBack'],
    takesNothing: true,
  })
  takeBusinessMergeBack(@IdOf('merge') mergeId: string, @Asking() context: RequestContext) {
    return this.#requests.businessMerges.takeBack(mergeId, context);
  }

  @Get()
  @ReadRoute({
    summary: 'Merges of businesses, the oldest first, with author, reason and instant: staff of all stores only',
    answer: listOf(businessMerge),
    example: { items: [businessMergeExample] },
  })
  @Problems(403)
  listBusinessMerges(@Query() query: BusinessMergesQuery, @Reading() reader: Reader) {
    return this.#queries.businessMerges.list(reader, pageRequest(query));
  }
}
