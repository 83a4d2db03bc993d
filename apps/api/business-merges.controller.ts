import { Body, Controller, Get, Inject, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { exampleIds } from '#read-models/models/examples';
import type { Queries } from '#requests/queries';
import type { RequestContext } from '#requests/request-tools';
import type { Requests } from '#requests/requests';
import { QUERIES, REQUESTS } from '#wiring/tokens';
import { Asking } from './caller.ts';
import { Id } from './fields.ts';
import { IdOf } from './ids.ts';
import { type Reader, Reading } from './reading.ts';
import { listOf } from './reads.ts';
import { CommandRoute, Problems, Responds } from './responses.ts';
import { named } from './schemas.ts';

class MergeBusinessesBody {
  @Id({ description: 'A customer of the one business.', example: exampleIds.customerId })
  customerId!: string;

  @Id({ description: 'A customer of the other business.', example: exampleIds.otherCustomerId })
  otherCustomerId!: string;
}

const businessMerge = z.object({
  mergeId: z.string().describe('The id of the merge.'),
  customerId: z.string().describe('The customer who stood for the one business.'),
  businessKey: z.string().describe('Of that business, then.'),
  otherCustomerId: z.string().describe('The customer who stood for the other business.'),
  otherBusinessKey: z.string().describe('Of that business, then.'),
});

const businessMerges = listOf(named('BusinessMerge', businessMerge));

const mergeExample: z.input<typeof businessMerge> = {
  mergeId: exampleIds.mergeId,
  customerId: exampleIds.customerId,
  businessKey: 'Vh3cQ0uXb1nT8sKzR5yLpA',
  otherCustomerId: exampleIds.otherCustomerId,
  otherBusinessKey: 'q7Ze2mJx4bD0uPw9TtHs1A',
};

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
  @ApiOperation({ summary: 'The merges of businesses that hold, the oldest first: staff only' })
  @Responds(200, 'The merges.', businessMerges, { items: [mergeExample] })
  @Problems(403)
  async listBusinessMerges(@Reading() reader: Reader) {
    return businessMerges.parse({ items: await this.#queries.businessMerges.list(reader, {}) });
  }
}
