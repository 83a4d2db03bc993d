import { given, minute } from '#test/given';
import { type OrderEvent, order } from './order.ts';

const ended = { at: minute(1), customerId: 'c1', code: 'MAY', by: 'FRESH' };
const replace = { type: 'ReplaceOrderCoupon' as const, ...ended };
const replaced: OrderEvent = { type: 'OrderCouponReplaced', data: ended };

describe('the coupon of an order that is not placed yet', () => {
  it('CPN-4: ends there once the customer has another code: of two that are given at once, the first one counts', () => {
    given(order).when(replace).thenRecords(replaced);
    given(order, replaced)
      .when({ ...replace, by: 'OTHER' })
      .thenRefuses('coupon-replaced', 'CPN-4');
    given(order, replaced)
      .when({ ...replace, by: 'OTHER', formerly: 'FRESH' })
      .thenRecords({ type: 'OrderCouponReplaced', data: { ...ended, by: 'OTHER' } });
  });

  it('CPN-4: leaves no order behind', () => {
    given(order, replaced)
      .when({ type: 'CancelOrder', at: minute(2) })
      .thenRefuses('order-unknown');
  });
});
