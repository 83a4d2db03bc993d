import fc from 'fast-check';
import { given, minute } from '#test/given';
import { type ReceiptEvent, receipts } from './receipts.ts';
import { taxesGivenBack, taxesIn, taxesLeft, taxesTakenBack } from './taxes.ts';

const about = {
  orderId: 'o1',
  customerId: 'c1',
  leadTypeId: 't1',
  renewalNumber: 0,
  paidAt: minute(1),
  reference: 'pi_1',
  amountCents: 1000,
  currency: 'USD',
};
const lines = [{ kind: 'leads' as const, quantity: 10, pricePerLeadCents: 100, amountCents: 1000 }];
const charge = { type: 'IssueChargeReceipt' as const, at: minute(2), ...about, lines };
const refund = { type: 'IssueRefundReceipt' as const, at: minute(3), ...about, reference: 're_1', refundId: 'r1' };
const vat = { name: 'VAT', percent: 19 };

const receiptOf = (more: object): ReceiptEvent =>
  ({
    type: 'ReceiptIssued',
    data: {
      at: minute(2),
      ...about,
      receiptId: expect.any(String),
      number: 1,
      kind: 'charge',
      lines,
      taxes: [],
      ...more,
    },
  }) as ReceiptEvent;
const issued = receiptOf({ receiptId: 'x' });

describe('the receipts of a store', () => {
  it('CHK-8: get the numbers 1, 2, 3 …; a charge has one receipt, however often it is asked for', () => {
    given(receipts).when(charge).thenRecords(receiptOf({}));
    given(receipts, issued)
      .when({ ...charge, renewalNumber: 1 })
      .thenRecords(receiptOf({ number: 2, renewalNumber: 1 }));
    given(receipts, issued).when(charge).thenRecords();
  });

  it('CHK-8: a refund has a receipt that names that of the charge, and waits for it', () => {
    given(receipts).when(refund).thenRefuses('charge-without-receipt');
    given(receipts, issued)
      .when({ ...refund, amountCents: 400 })
      .thenRecords(
        receiptOf({
          at: minute(3),
          number: 2,
          kind: 'refund',
          refundId: 'r1',
          reference: 're_1',
          chargeNumber: 1,
          amountCents: 400,
          lines: [{ kind: 'refund', amountCents: 400 }],
        }),
      );
  });

  it('CHK-8: a refund that came back has one that takes back its receipt, with lines and taxes below zero', () => {
    const taxed = receiptOf({ receiptId: 'x', taxes: [{ ...vat, taxCents: 160 }] });
    const part = { ...refund, amountCents: 400 };
    const first = receiptOf({
      at: minute(3),
      number: 2,
      kind: 'refund',
      refundId: 'r1',
      reference: 're_1',
      chargeNumber: 1,
      amountCents: 400,
      lines: [{ kind: 'refund', amountCents: 400 }],
      taxes: [{ ...vat, taxCents: 64 }],
    });
    given(receipts, taxed).when(part).thenRecords(first);
    const back = {
      type: 'IssueReturnedRefundReceipt' as const,
      at: minute(9),
      refundId: 'r1',
      reference: 're_1',
      paidAt: minute(8),
    };
    given(receipts, taxed).when(back).thenRefuses('refund-without-receipt');
    const takenBack = receiptOf({
      ...first.data,
      receiptId: expect.any(String),
      at: minute(9),
      paidAt: minute(8),
      number: 3,
      kind: 'refund-returned',
      refundNumber: 2,
      amountCents: -400,
      lines: [{ kind: 'refund', amountCents: -400 }],
      taxes: [{ ...vat, taxCents: -64 }],
    });
    given(receipts, taxed, first).when(back).thenRecords(takenBack);
    const again = { ...part, at: minute(20), reference: 're_2', paidAt: minute(19) };
    given(receipts, taxed, first).when(again).thenRefuses('returned-refund-without-receipt');
    const second = { ...first.data, receiptId: expect.any(String), at: minute(20), paidAt: minute(19) };
    given(receipts, taxed, first, takenBack)
      .when(again)
      .thenRecords(receiptOf({ ...second, number: 4, reference: 're_2' }));
    const { reference: _, ...settled } = again;
    given(receipts, taxed, first, takenBack).when(part).thenNothing();
    expect(
      receipts.decide(settled, [taxed, first, takenBack].reduce(receipts.evolve, receipts.initialState())),
    ).toMatchObject([{ data: { number: 4, amountCents: 400 } }]);
  });

  it('CHK-8: contain the taxes that were in effect when the money moved', () => {
    const set = { type: 'SetTaxes' as const, at: minute(0), taxes: [vat], effectiveFrom: minute(1) };
    const taxed: ReceiptEvent = { type: 'TaxesSet', data: { at: minute(0), taxes: [vat], effectiveFrom: minute(1) } };
    given(receipts).when(set).thenRecords(taxed);
    given(receipts)
      .when({ ...set, at: minute(2) })
      .thenRefuses('taxes-in-the-past');
    given(receipts)
      .when({ ...set, taxes: [{ name: 'VAT', percent: 0.12345 }] })
      .thenRefuses('rate-too-fine');
    given(receipts, taxed)
      .when(charge)
      .thenRecords(receiptOf({ taxes: [{ ...vat, taxCents: 160 }] }));
    given(receipts, taxed)
      .when({ ...charge, paidAt: minute(0) })
      .thenRecords(receiptOf({ paidAt: minute(0) }));
  });

  it('CHK-8: a refund gives back the taxes of its charge, whatever the rates are by now', () => {
    const taxed = receiptOf({ receiptId: 'x', taxes: [{ ...vat, taxCents: 160 }] });
    const changed: ReceiptEvent = { type: 'TaxesSet', data: { at: minute(2), taxes: [], effectiveFrom: minute(2) } };
    const decided = receipts.decide(refund, [taxed, changed].reduce(receipts.evolve, receipts.initialState()));
    expect(decided).toMatchObject([{ data: { taxes: [{ ...vat, taxCents: 160 }] } }]);
  });
});

const rates = fc.array(
  fc.record({ name: fc.constant('tax'), percent: fc.integer({ min: 1, max: 300_000 }).map((parts) => parts / 10_000) }),
  { maxLength: 4 },
);
const amount = fc.integer({ min: 1, max: 1_000_000_000 });

test('CHK-8: taxes are never more than the amount, and all refunds of a payment that did not come back together give back exactly its taxes', () => {
  fc.assert(
    fc.property(
      amount,
      rates,
      fc.array(amount, { maxLength: 6 }),
      fc.array(fc.boolean()),
      (paid, taxes, parts, comingBack) => {
        const taxed = taxesIn(paid, taxes);
        expect(taxed.reduce((sum, { taxCents }) => sum + taxCents, 0)).toBeLessThanOrEqual(paid);
        let leftCents = paid;
        let leftTaxes = taxed;
        for (const [index, part] of [...parts, paid].entries()) {
          const amountCents = Math.min(part, leftCents);
          const given = taxesGivenBack({ leftCents, leftTaxes }, amountCents);
          for (const { taxCents } of given) expect(taxCents).toBeGreaterThanOrEqual(0);
          leftCents -= amountCents;
          leftTaxes = taxesLeft(leftTaxes, given);
          const comesBack = comingBack[index] === true && index < parts.length;
          if (comesBack) {
            leftCents += amountCents;
            leftTaxes = taxesLeft(leftTaxes, taxesTakenBack(given));
          }
        }
        expect(leftCents).toBe(0);
        for (const { taxCents } of leftTaxes) expect(taxCents).toBe(0);
      },
    ),
  );
});
