import { Body, Controller, Get, Inject, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { newDiscount } from '#domain/coupons/coupon';
import type { Instant } from '#domain/kernel/events';
import type { Clock } from '#gateways/clock';
import { type CouponRow, couponExample, couponRow, couponStatuses } from '#read-models/models/defined-coupons';
import { exampleIds } from '#read-models/models/examples';
import { damaged } from '#read-models/queries/damaged';
import { couponListing } from '#read-models/queries/defined-coupons';
import type { Queries } from '#requests/queries';
import type { Receipt, RequestContext } from '#requests/request-tools';
import type { Requests } from '#requests/requests';
import { CLOCK, QUERIES, REQUESTS } from '#wiring/tokens';
import { Asking } from './caller.ts';
import { Code, Conforming, Count, FieldNames, Id, Ids, InstantField, NewCode, OneOf, Sort } from './fields.ts';
import { IdOf, notFound } from './ids.ts';
import { type Reader, Reading } from './reading.ts';
import { listOf, PageQuery, pageRequest, ReadQuery, ReadRoute } from './reads.ts';
import { type AnsweredReceipt, CommandRoute } from './responses.ts';

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

const coupon = couponRow.extend({ damaged }).meta({ id: 'Coupon' });
const couponAnswered: z.infer<typeof coupon> = { ...couponExample, damaged: false };

class CouponsQuery extends PageQuery {
  @Code({ description: 'The coupon with this code only.', example: exampleIds.couponCode, optional: true })
  couponCode?: string;

  @OneOf(couponStatuses, { description: 'Coupons in this state only.', optional: true })
  status?: CouponRow['status'];

  @Id({ description: 'Codes that this customer was given instead of others (CPN-4) only.', optional: true })
  customerId?: string;

  @Sort(couponListing)
  sort?: string;

  @FieldNames(coupon)
  fields?: string;
}

const named = { couponId: z.string().describe('The id under which the log has it, for paths.') };

/** Coupons are stored under an id that is made of the code; clients know them by the code. */
async function answerNaming(couponCode: string, answer: Promise<Receipt>): Promise<AnsweredReceipt> {
  const receipt = await answer;
  return { ...receipt, id: couponCode, answer: { couponId: receipt.id } };
}

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
    adds: named,
    records: ['CouponDefined'],
    creates: '/api/coupons?couponCode=:id',
  })
  defineCoupon(
    @Body() { couponCode: code, validFrom = this.#clock.now(), ...body }: DefineCouponBody,
    @Asking() context: RequestContext,
  ): Promise<AnsweredReceipt> {
    return answerNaming(code, this.#requests.coupons.define({ code, validFrom, ...body }, context));
  }

  @Post('alternatives')
  @CommandRoute({
    summary:
      'Give a customer a new code in place of one whose discount no order has; the first code gives no discount any more. Support only, with a Leadger-Reason (CPN-4)',
    idName: 'couponCode',
    adds: named,
    records: ['AlternativeCouponGiven'],
    creates: '/api/coupons?couponCode=:id',
  })
  giveAlternativeCoupon(
    @Body() { couponCode: code, ...body }: GiveAlternativeCouponBody,
    @Asking() context: RequestContext,
  ): Promise<AnsweredReceipt> {
    return answerNaming(code, this.#requests.coupons.giveAlternative({ code, ...body }, context));
  }

  @Post(':couponId/retire')
  @CommandRoute({
    summary:
      'Retire a coupon: new attempts are refused as expired, and what was used stays. With a Leadger-Reason (CAT-5)',
    idName: 'couponCode',
    adds: named,
    records: ['CouponRetired'],
    takesNothing: true,
  })
  async retireCoupon(@IdOf('coupon') couponId: string, @Asking() context: RequestContext): Promise<AnsweredReceipt> {
    return { ...(await this.#requests.coupons.setRetired(couponId, true, context)), answer: { couponId } };
  }

  @Post(':couponId/reopen')
  @CommandRoute({
    summary: 'Re-open a coupon that was retired, with a Leadger-Reason (CAT-5)',
    idName: 'couponCode',
    adds: named,
    records: ['CouponReopened'],
    takesNothing: true,
  })
  async reopenCoupon(@IdOf('coupon') couponId: string, @Asking() context: RequestContext): Promise<AnsweredReceipt> {
    return { ...(await this.#requests.coupons.setRetired(couponId, false, context)), answer: { couponId } };
  }

  @Get()
  @ReadRoute({
    summary: 'Coupons, newest first, with how often each was used; no item when no coupon has the code',
    answer: listOf(coupon),
    example: { items: [couponAnswered] },
  })
  listCoupons(@Query() query: CouponsQuery, @Reading() reader: Reader) {
    return this.#queries.coupons.list(reader, pageRequest(query));
  }

  @Get(':couponId')
  @ReadRoute({ summary: 'A coupon, with how often it was used', answer: coupon, example: couponAnswered })
  async getCoupon(@IdOf('coupon') couponId: string, @Query() _: ReadQuery, @Reading() reader: Reader) {
    const found = await this.#queries.coupons.get(reader, { couponId });
    if (!found) throw notFound('coupon', couponId);
    return found;
  }
}
