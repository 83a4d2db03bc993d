import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { exampleIds } from '#read-models/models/examples';
import { couponUseListing } from '#read-models/queries/coupons';
import { couponUseOfCode, couponUseOfCodeExample } from '#requests/coupon-uses';
import type { Queries } from '#requests/queries';
import { QUERIES } from '#wiring/tokens';
import { Code, FieldNames, Id, Sort } from './fields.ts';
import { type Reader, Reading } from './reading.ts';
import { listOf, PageQuery, pageRequest, ReadRoute } from './reads.ts';

const use = couponUseOfCode.meta({ id: 'CouponUse' });

class CouponUsesQuery extends PageQuery {
  @Code({ description: 'The code of the coupon.', example: exampleIds.couponCode })
  couponCode!: string;

  @Id({ description: 'Uses by this customer only.', optional: true })
  customerId?: string;

  @Sort(couponUseListing)
  sort?: string;

  @FieldNames(use)
  fields?: string;
}

/** Who tried and used which code (CPN-4). */
@ApiTags('coupons')
@Controller('api/coupons/uses')
export class CouponUsesController {
  readonly #queries: Queries;

  constructor(@Inject(QUERIES) queries: Queries) {
    this.#queries = queries;
  }

  @Get()
  @ReadRoute({
    summary: 'Who tried and used a code, newest first, and what became of the order: staff only (CPN-4)',
    answer: listOf(use),
    example: { items: [couponUseOfCodeExample] },
  })
  listCouponUses(@Query() query: CouponUsesQuery, @Reading() reader: Reader) {
    return this.#queries.coupons.listUses(reader, pageRequest(query));
  }
}
