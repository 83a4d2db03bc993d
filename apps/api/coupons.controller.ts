import { Body, Controller, Get, Inject, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { couponEvents, newDiscount } from '#domain/coupons/coupon';
import type { Instant } from '#domain/kernel/events';
import type { Clock } from '#gateways/clock';
import { exampleIds } from '#read-models/models/examples';
import type { Queries } from '#requests/queries';
import type { Receipt, RequestContext } from '#requests/request-tools';
import type { Requests } from '#requests/requests';
import { CLOCK, QUERIES, REQUESTS } from '#wiring/tokens';
import { Asking } from './caller.ts';
import { Code, Conforming, Count, Id, Ids, InstantField, NewCode } from './fields.ts';
import { type Reader, Reading } from './reading.ts';
import { listOf } from './reads.ts';
import { CommandRoute, Problems, Responds } from './responses.ts';
import { named, orNull } from './schemas.ts';

class DefineCouponBody {
  @NewCode({
    description: 'The code of the coupon: a text that can be typed. Every character counts (CPN-1).',
    example: exampleIds.couponCode,
  })
  couponCode!: string;

  @Ids({ description: 'The stores at which it is valid.', example: [exampleIds.storeId] })
  storeIds!: string[];

  @Ids({
    description: 'The lead types for which it is valid; all when absent.',
    example: [exampleIds.leadTypeId],
    optional: true,
  })
  leadTypeIds?: string[];

  @Conforming(newDiscount, {
    description: 'What it takes off the price: either percent, or amountCents of a currency.',
    example: { percent: 15 },
  })
  discount!: z.infer<typeof newDiscount>;

  @InstantField({ description: 'From when it is valid; from now when absent.', optional: true })
  validFrom?: Instant;

  @InstantField({ description: 'The last instant at which it is valid; without an end when absent.', optional: true })
  validUntil?: Instant;

  @Count({ description: 'How many customers may use it in all; any number when absent.', example: 100, optional: true })
  totalLimit?: number;
}

class GiveAlternativeCouponBody {
  @Code({ description: 'The code that the customer used up.', example: exampleIds.couponCode })
  insteadOf!: string;

  @Id({ description: 'The customer who may use it.', example: exampleIds.customerId })
  customerId!: string;

  @NewCode({ description: 'The new code: a text that can be typed.', example: 'SPRING 26-2' })
  couponCode!: string;
}

class CouponsQuery {
  @Code({ description: 'The code of the coupon.', example: exampleIds.couponCode })
  couponCode!: string;
}

const { leadTypeIds, validUntil, totalLimit } = couponEvents.CouponDefined.shape;
const coupon = couponEvents.CouponDefined.omit({ at: true, code: true }).extend({
  leadTypeIds: orNull(leadTypeIds.unwrap()).describe('The lead types for which it is valid. Null: all.'),
  validUntil: orNull(validUntil.unwrap()).describe('The last instant at which it is valid. Null: without an end.'),
  totalLimit: orNull(totalLimit.unwrap()).describe('How many customers may use it in all. Null: any number.'),
  couponCode: z.string().describe('The code as customers type it: every character counts (CPN-1).'),
  uses: z.int().describe('How many customers used it up.'),
  customerId: orNull(z.string()).describe('The only customer who may use it. Null: every customer may.'),
  insteadOf: orNull(z.string()).describe('The code that the customer was given it for (CPN-4). Null: none.'),
});

const couponExample: z.input<typeof coupon> = {
  couponCode: exampleIds.couponCode,
  storeIds: [exampleIds.storeId],
  leadTypeIds: null,
  discount: { percent: 15 },
  validFrom: '2026-03-01T09:30:00.000Z',
  validUntil: null,
  totalLimit: null,
  uses: 3,
  customerId: null,
  insteadOf: null,
};

const coupons = listOf(named('Coupon', coupon));

/** Coupons are stored under an id that is made of the code; clients know them by the code. */
const answerNaming = async (couponCode: string, answer: Promise<Receipt>): Promise<Receipt> => ({
  ...(await answer),
  id: couponCode,
});

@ApiTags('coupons')
@Controller('api/coupons')
export class CouponsController {
  readonly #requests: Requests;
  readonly #queries: Queries;
  readonly #clock: Clock;

  constructor(@Inject(REQUESTS) requests: Requests, @Inject(QUERIES) queries: Queries, @Inject(CLOCK) clock: Clock) {
    this.#requests = requests;
    this.#queries = queries;
    this.#clock = clock;
  }

  @Post()
  @CommandRoute({
    summary: 'Define a coupon',
    idName: 'couponCode',
    records: ['CouponDefined'],
    creates: '/api/coupons?couponCode=:id',
  })
  defineCoupon(
    @Body() { couponCode: code, validFrom = this.#clock.now(), ...body }: DefineCouponBody,
    @Asking() context: RequestContext,
  ): Promise<Receipt> {
    return answerNaming(code, this.#requests.coupons.define({ code, validFrom, ...body }, context));
  }

  @Post('alternatives')
  @CommandRoute({
    summary:
      'Give a customer a new code in place of one whose discount no order has; the first code gives no discount any more. Support only, with a Leadger-Reason (CPN-4)',
    idName: 'couponCode',
    records: ['AlternativeCouponGiven'],
    creates: '/api/coupons?couponCode=:id',
  })
  giveAlternativeCoupon(
    @Body() { couponCode: code, ...body }: GiveAlternativeCouponBody,
    @Asking() context: RequestContext,
  ): Promise<Receipt> {
    return answerNaming(code, this.#requests.coupons.giveAlternative({ code, ...body }, context));
  }

  @Get()
  @ApiOperation({ summary: 'The coupon with this code, and how often it was used; no item when there is none' })
  @Responds(200, 'The coupons.', coupons, { items: [couponExample] })
  @Problems(400)
  async listCoupons(@Query() { couponCode }: CouponsQuery, @Reading() reader: Reader) {
    const found = await this.#queries.coupons.get(reader, { code: couponCode });
    return coupons.parse({ items: found ? [{ ...found, couponCode }] : [] });
  }
}
