import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { addSeconds } from '#domain/kernel/instants';
import type { Clock } from '#gateways/clock';
import { attentionReasons } from '#read-models/attention';
import type { AttentionRow } from '#read-models/queries';
import type { ReadModels } from '#read-models/read-models';
import { CLOCK, READ_MODELS } from '#wiring/tokens';
import { CountInQuery, Id, OneOf } from './fields.ts';
import { listOf, PageQuery, pageRequest, ReadRoute } from './reads.ts';

const STARVING_AFTER_HOURS = 48;
const DECLINED_FOR_DAYS = 14;
const SECONDS_AN_HOUR = 3600;

class AttentionQuery extends PageQuery {
  @OneOf(attentionReasons, { description: 'for this reason only', example: 'starving', optional: true })
  reason?: AttentionRow['reason'];

  @Id({ description: 'orders at this store only', example: 'main', optional: true })
  storeId?: string;

  @CountInQuery({
    description: `an open order starves that was given nothing for so long; ${STARVING_AFTER_HOURS} when absent. A daily maximum may keep it waiting for a day`,
    example: STARVING_AFTER_HOURS,
    minimum: 24,
    maximum: 8760,
    optional: true,
  })
  starvingAfterHours?: number;
}

const attention = z.object({
  attentionId: z.string(),
  reason: z.enum(attentionReasons),
  orderId: z.string(),
  storeId: z.string(),
  customerId: z.string(),
  leadTypeId: z.string(),
  replacementId: z.string().nullable().describe('of an overdue verification (RPL-5)'),
  since: z.string().describe('the last delivery or opening, the decline, or when what did not happen was due'),
  retryAt: z.string().nullable().describe('when a declined renewal is tried again (LOY-8)'),
}) satisfies z.ZodType<AttentionRow>;

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
    summary: `Orders that somebody should look at, what has waited longest first; declined payments for ${DECLINED_FOR_DAYS} days`,
    answer: listOf('AttentionItem', attention),
    example: {
      items: [
        {
          attentionId: 'starving/3b1c6f0e-6a55-5d0b-8a35-2f3d3b7a9c11',
          reason: 'starving',
          orderId: '3b1c6f0e-6a55-5d0b-8a35-2f3d3b7a9c11',
          storeId: 'main',
          customerId: '8f14e45f-ceea-5b3c-9f2d-6c1d7a3e4b10',
          leadTypeId: 'exclusive-real-time',
          replacementId: null,
          since: '2026-03-02T15:12:40.000Z',
          retryAt: null,
        },
      ],
    },
  })
  listAttention(@Query() { starvingAfterHours = STARVING_AFTER_HOURS, ...query }: AttentionQuery) {
    const now = this.#clock.now();
    return this.#queries.listAttention({
      ...pageRequest(query),
      waitingSince: addSeconds(now, -starvingAfterHours * SECONDS_AN_HOUR),
      declinedSince: addSeconds(now, -DECLINED_FOR_DAYS * 24 * SECONDS_AN_HOUR),
      now,
    });
  }
}
