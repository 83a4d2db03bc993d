import { Body, Controller, Get, Inject, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { couponEvents, couponStream, type Discount, discount } from '#domain/coupons/coupon';
import type { Instant } from '#domain/kernel/events';
import type { Clock } from '#gateways/clock';
import type { Answer, RequestContext } from '#requests/request-tools';
import type { Requests } from '#requests/requests';
import { StreamCache } from '#requests/stream-cache';
import { CLOCK, REQUESTS } from '#wiring/tokens';
import { Answers, CommandRoute, Problems } from './answers.ts';
import { Asking } from './caller.ts';
import { Code, Conforming, Count, Id, Ids, InstantField } from './fields.ts';
import { notFound } from './ids.ts';

class DefineCouponBody {
  @Code({ description: 'every character counts (CPN-1)', example: 'SPRING 26' })
  code!: string;

  @Ids({ description: 'stores at which it is valid', example: ['main'] })
  storeIds!: string[];

  @Ids({
    description: 'lead types for which it is valid; all when absent',
    example: ['exclusive-fresh'],
    optional: true,
  })
  leadTypeIds?: string[];

  @Conforming(discount, { description: 'either percent or amountCents', example: { percent: 15 } })
  discount!: Discount;

  @InstantField({ description: 'from when it is valid; now when absent', optional: true })
  validFrom?: Instant;

  @InstantField({ description: 'the last instant at which it is valid; for ever when absent', optional: true })
  validUntil?: Instant;

  @Count({ description: 'customers who may use it in all', example: 100, optional: true })
  totalLimit?: number;
}

class GiveAlternativeBody {
  @Code({ description: 'the code that the customer used up', example: 'SPRING 26' })
  insteadOf!: string;

  @Id({ description: 'for whom', example: '8f14e45f-ceea-5b3c-9f2d-6c1d7a3e4b10' })
  customerId!: string;

  @Code({ description: 'the fresh code', example: 'SPRING 26-2' })
  code!: string;
}

class CouponQuery {
  @Code({ description: 'the code', example: 'SPRING 26' })
  code!: string;
}

const coupon = couponEvents.CouponDefined.omit({ at: true }).extend({
  uses: z.int().describe('customers who used it up'),
  customerId: z.string().optional().describe('of a fresh code: the one customer it is for'),
});

@ApiTags('coupons')
@Controller('api/coupons')
export class CouponsController {
  readonly #requests: Requests;
  readonly #streams: StreamCache;
  readonly #clock: Clock;

  constructor(
    @Inject(REQUESTS) requests: Requests,
    @Inject(StreamCache) streams: StreamCache,
    @Inject(CLOCK) clock: Clock,
  ) {
    this.#requests = requests;
    this.#streams = streams;
    this.#clock = clock;
  }

  @Post()
  @CommandRoute({ summary: 'Define a coupon', records: ['CouponDefined'], creates: '/api/coupons' })
  define(
    @Body() { validFrom = this.#clock.now(), ...body }: DefineCouponBody,
    @Asking() context: RequestContext,
  ): Promise<Answer> {
    return this.#requests.coupons.define({ validFrom, ...body }, context);
  }

  @Post('alternatives')
  @CommandRoute({
    summary: 'Give a customer a fresh code in place of one that it used up: support only, with a reason (CPN-4)',
    records: ['AlternativeCouponGiven'],
    creates: '/api/coupons',
  })
  @Problems(403)
  giveAlternative(@Body() body: GiveAlternativeBody, @Asking() context: RequestContext): Promise<Answer> {
    return this.#requests.coupons.giveAlternative(body, context);
  }

  @Get()
  @ApiOperation({ summary: 'A coupon by its code, and how often it was used' })
  @Answers(200, 'the coupon', coupon, {
    code: 'SPRING 26',
    storeIds: ['main'],
    discount: { percent: 15 },
    validFrom: '2026-03-01T09:30:00.000Z',
    uses: 3,
  })
  @Problems(400, 404)
  async find(@Query() { code }: CouponQuery) {
    const { state } = await this.#streams.read<'coupon'>(couponStream(code));
    if (!state.defined) throw notFound('coupon', code);
    const { customerId, uses } = state;
    return coupon.parse({ ...state.defined, uses: uses.size, ...(customerId && { customerId }) });
  }
}
