import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { exampleIds } from '#read-models/models/examples';
import { type AttentionRow, attentionExample, attentionReasons, attentionRow } from '#read-models/queries/attention';
import { DECLINED_FOR_DAYS, STARVING_AFTER_HOURS } from '#requests/attention';
import type { Queries } from '#requests/queries';
import { QUERIES } from '#wiring/tokens';
import { CountInQuery, Id, OneOf } from './fields.ts';
import { type Reader, Reading } from './reading.ts';
import { listOf, PageQuery, pageRequest, ReadRoute } from './reads.ts';

class AttentionQuery extends PageQuery {
  @OneOf(attentionReasons, { description: 'Orders for this reason only.', example: 'starving', optional: true })
  reason?: AttentionRow['reason'];

  @Id({ description: 'Orders at this store only.', example: exampleIds.storeId, optional: true })
  storeId?: string;

  @CountInQuery({
    description: `How many hours an open order gets no lead before it counts as starving; ${STARVING_AFTER_HOURS} when absent. A daily maximum may keep it waiting for a day.`,
    example: STARVING_AFTER_HOURS,
    minimum: 24,
    maximum: 8760,
    optional: true,
  })
  starvingAfterHours?: number;
}

@ApiTags('attention')
@Controller('api/attention')
export class AttentionController {
  readonly #queries: Queries;

  constructor(@Inject(QUERIES) queries: Queries) {
    this.#queries = queries;
  }

  @Get()
  @ReadRoute({
    summary: `Orders that need attention, the longest waiting first; declined payments are listed for ${DECLINED_FOR_DAYS} days`,
    answer: listOf(attentionRow),
    example: { items: [attentionExample] },
  })
  listAttention(@Query() query: AttentionQuery, @Reading() reader: Reader) {
    return this.#queries.attention.list(reader, pageRequest(query));
  }
}
