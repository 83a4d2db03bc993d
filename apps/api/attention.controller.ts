import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { addSeconds } from '#domain/kernel/instants';
import type { Clock } from '#gateways/clock';
import { type AttentionRow, attentionExample, attentionReasons, attentionRow } from '#read-models/queries/attention';
import type { ReadModels } from '#read-models/read-models';
import { CLOCK, READ_MODELS } from '#wiring/tokens';
import { CountInQuery, Id, OneOf } from './fields.ts';
import { type Reader, Reading } from './reading.ts';
import { listOf, PageQuery, pageRequest, ReadRoute } from './reads.ts';

const STARVING_AFTER_HOURS = 48;
const DECLINED_FOR_DAYS = 14;
const SECONDS_AN_HOUR = 3600;

class AttentionQuery extends PageQuery {
  @OneOf(attentionReasons, { description: 'Orders for this reason only.', example: 'starving', optional: true })
  reason?: AttentionRow['reason'];

  @Id({ description: 'Orders at this store only.', example: 'main', optional: true })
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
  readonly #queries: ReadModels['queries'];
  readonly #clock: Clock;

  constructor(@Inject(READ_MODELS) { queries }: ReadModels, @Inject(CLOCK) clock: Clock) {
    this.#queries = queries;
    this.#clock = clock;
  }

  @Get()
  @ReadRoute({
    summary: `Orders that need attention, the longest waiting first; declined payments are listed for ${DECLINED_FOR_DAYS} days`,
    answer: listOf(attentionRow),
    example: { items: [attentionExample] },
  })
  listAttention(
    @Query() { starvingAfterHours = STARVING_AFTER_HOURS, ...query }: AttentionQuery,
    @Reading() reader: Reader,
  ) {
    const now = this.#clock.now();
    return this.#queries.attention.list(reader, {
      ...pageRequest(query),
      waitingSince: addSeconds(now, -starvingAfterHours * SECONDS_AN_HOUR),
      declinedSince: addSeconds(now, -DECLINED_FOR_DAYS * 24 * SECONDS_AN_HOUR),
      now,
    });
  }
}
