import { addHours } from '#domain/kernel/instants';
import { driveProcess } from '#test/process-driver';
import { keyOfCapture, keyOfRenewal } from './charge-keys.ts';
import { payerErasure } from './payer-erasure.ts';

const AT = '2026-03-02T15:00:00.000Z';
const placed = (customerId: string) => ['OrderPlaced', { customerId }] as const;
const paid = ['PaymentCaptured', { reference: 'pi_1', providerCustomerId: 'cus_1' }] as const;
const erased = ['erasures-main', 'PersonErased', { subjects: ['customer-c1'], personKeys: [], ends: [] }] as const;

const forgotten = (wishes: readonly object[]) =>
  wishes.map((wish) => {
    const { stream, effect } = wish as { stream: string; effect: { providerCustomerId: string } };
    return [stream, effect.providerCustomerId];
  });

describe('the process that lets the payment provider forget erased customers', () => {
  it('asks for each customer there, once, until that is recorded', () => {
    const { fold, wishes } = driveProcess(payerErasure, AT);
    fold('order-o1', ...placed('c1'));
    fold('order-o1', ...paid);
    fold('programme-o1', 'RenewalPaid', { renewalNumber: 1, providerCustomerId: 'cus_1' });
    fold('programme-o1', 'RenewalPaid', { renewalNumber: 2, providerCustomerId: 'cus_2' });
    fold('order-o2', ...placed('c2'));
    fold('order-o2', 'PaymentCaptured', { reference: 'pi_2', providerCustomerId: 'cus_3' });
    expect(wishes()).toEqual([]);
    fold(...erased);
    expect(forgotten(wishes())).toEqual([
      ['order-o1', 'cus_1'],
      ['order-o1', 'cus_2'],
    ]);
  });

  it('asks nothing again after a restart, once it is recorded, and nothing where no card is kept', () => {
    const { fold, wishes } = driveProcess(payerErasure, AT);
    fold('order-o1', ...placed('c1'));
    fold('order-o1', ...paid);
    fold('order-o3', ...placed('c1'));
    fold('order-o3', 'PaymentCaptured', { reference: 'pi_3' });
    fold(...erased);
    fold('order-o1', 'PayerForgotten', { providerCustomerId: 'cus_1' });
    expect(wishes()).toEqual([]);
  });

  it('asks for what a charge brought that was under way during the erasure', () => {
    const { fold, wishes } = driveProcess(payerErasure, AT);
    fold('order-o1', ...placed('c1'));
    fold(...erased);
    fold('order-o1', 'PaymentCapturedTooLate', { reference: 'pi_1', providerCustomerId: 'cus_1' });
    expect(forgotten(wishes())).toEqual([['order-o1', 'cus_1']]);
  });

  const member = { customerId: 'c1', loyalty: {}, totalCents: 1000 };
  const begun = (attempt: number, charge = {}) => ['RenewalBegun', { renewalNumber: 1, attempt, charge }] as const;
  const [first, renewal, retry] = [
    keyOfCapture('o1'),
    ...[1, 2].map((attempt) => keyOfRenewal('o1', { renewalNumber: 1, attempt })),
  ];
  const lookedFor = (wishes: readonly object[]) =>
    wishes.map((wish) => (wish as { effect: { chargeKey?: string } }).effect.chargeKey);
  const later = addHours(AT, 0.25);

  it('looks for whom charges without an answer, and declined ones, may have made, once the provider finds them', () => {
    const { fold, wishes, wakesAt } = driveProcess(payerErasure, AT);
    fold('order-o1', 'OrderPlaced', member);
    fold('programme-o1', ...begun(1));
    fold('programme-o1', ...begun(2));
    fold(...erased);
    expect(wishes()).toEqual([]);
    expect(wakesAt()).toBe(later);
    expect(lookedFor(wishes(later)).sort()).toEqual([first, renewal, retry].sort());
    expect(wishes(later)).toEqual([]);
  });

  it('looks for nobody where an answer says who it is, or that nothing is kept, and not again once that is recorded', () => {
    const { fold, wishes } = driveProcess(payerErasure, AT);
    fold('order-o1', 'OrderPlaced', member);
    fold('order-o1', ...paid);
    fold('programme-o1', ...begun(1));
    fold('programme-o1', ...begun(2, { providerCustomerId: 'cus_1' }));
    fold('order-o2', 'OrderPlaced', member);
    fold('order-o2', 'PaymentCaptured', { reference: 'sandbox_1' });
    fold('order-o3', 'OrderPlaced', { ...member, totalCents: 0 });
    fold(...erased);
    fold('order-o1', 'PayerForgotten', { chargeKey: renewal });
    expect(lookedFor(wishes(later))).toEqual([undefined]);
  });

  it('looks for whom a charge made that was unknown, also after staff found that it was captured', () => {
    const { fold, wishes } = driveProcess(payerErasure, AT);
    fold('order-o1', 'OrderPlaced', member);
    fold('programme-o1', ...begun(1));
    fold(...erased);
    fold('order-o1', 'PaymentCapturedTooLate', { reference: 'pi_1' });
    fold('programme-o1', 'RenewalPaid', { renewalNumber: 1, attempt: 1, owedBack: true });
    expect(lookedFor(wishes(later)).sort()).toEqual([first, renewal].sort());
  });
});
