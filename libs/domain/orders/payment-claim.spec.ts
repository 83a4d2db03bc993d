import { given, minute } from '#test/given';
import { paymentClaim } from './payment-claim.ts';

const [first, renewal] = [
  { orderId: 'o1', renewalNumber: 0 },
  { orderId: 'o1', renewalNumber: 1 },
];
const other = { orderId: 'o2', renewalNumber: 0 };
const claim = (payment: typeof first, from?: typeof first) =>
  ({ type: 'ClaimPayment', at: minute(2), reference: 'pi_1', ...payment, ...(from && { from }) }) as const;
const claimed = (payment: typeof first) =>
  ({ type: 'PaymentClaimed', data: { at: minute(2), reference: 'pi_1', ...payment } }) as const;

describe('the claim on a payment of the provider', () => {
  test('the order for which staff found it first has it', () => {
    given(paymentClaim).when(claim(first)).thenRecords(claimed(first));
  });

  test('the same finding, sent again, changes nothing', () => {
    given(paymentClaim, claimed(first)).when(claim(first)).thenRecords();
  });

  test('CHK-6: another order does not get it, and no other payment of the same order', () => {
    for (const payment of [other, renewal])
      given(paymentClaim, claimed(first)).when(claim(payment)).thenRefuses('payment-of-another', 'CHK-6');
  });

  test('it passes on from the claim that was read to be void, and from no other', () => {
    given(paymentClaim, claimed(first)).when(claim(other, first)).thenRecords(claimed(other));
    given(paymentClaim, claimed(first), claimed(other)).when(claim(renewal, first)).thenRefuses('payment-of-another');
  });
});
