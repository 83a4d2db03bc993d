import { given, minute } from '#test/given';
import { type LookEvent, looks } from './look.ts';

it("SUP-2: each look at a customer's history is recorded, the second one, too", () => {
  const shown: LookEvent = { type: 'CustomerHistoryShown', data: { at: minute(5), customerId: 'c1' } };
  given(looks, shown)
    .when({ type: 'ShowCustomerHistory', at: minute(5), customerId: 'c1' })
    .thenRecordsEachTime(shown);
});
