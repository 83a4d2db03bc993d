import { type BalanceLine, type ReceiptInLog, reconcile } from './reconciliation.ts';

const line = (id: string, more: Partial<BalanceLine> = {}): BalanceLine => ({
  id: `txn_${id}`,
  kind: 'charge',
  references: [`pi_${id}`, `ch_${id}`],
  day: '2026-03-01',
  amountCents: 1000,
  currency: 'USD',
  ...more,
});
const receipt = (id: string, more: Partial<ReceiptInLog> = {}): ReceiptInLog => ({
  storeId: 's1',
  number: 1,
  kind: 'charge',
  reference: `pi_${id}`,
  paidAt: '2026-03-01T10:00:00.000Z',
  amountCents: 1000,
  currency: 'USD',
  ...more,
});
const march = { from: '2026-03-01', to: '2026-03-31' };

test('CHK-8: what both know in the same amount agrees, also when their days differ by a moment', () => {
  const found = reconcile([line('a')], [receipt('a', { paidAt: '2026-03-02T00:00:00.000Z' })], march);
  expect(found).toEqual({
    differences: [],
    agreeing: 1,
    elsewhere: 0,
    days: [{ day: '2026-03-01', currency: 'USD', thereCents: 1000, hereCents: 1000 }],
  });
});

test('CHK-8: what is only there, only here or differs is listed', () => {
  const lines = [line('a'), line('b'), line('c', { kind: 'refund', amountCents: 300 })];
  const receipts = [
    receipt('b', { amountCents: 999 }),
    receipt('c', { kind: 'refund', amountCents: 300 }),
    receipt('d'),
  ];
  const { differences, agreeing, days } = reconcile(lines, receipts, march);
  expect(differences.map(({ what }) => what)).toEqual(['differs', 'only-here', 'only-there']);
  expect(agreeing).toBe(1);
  expect(days).toEqual([{ day: '2026-03-01', currency: 'USD', thereCents: 1700, hereCents: 1699 }]);
});

test('CHK-8: a line agrees with one receipt only, and a refund never with a charge', () => {
  const twice = reconcile([line('a')], [receipt('a'), receipt('a', { number: 2 })], march);
  expect(twice.differences).toMatchObject([{ what: 'only-here', receipt: { number: 2 } }]);
  const crossed = reconcile([line('a', { kind: 'refund' })], [receipt('a')], march);
  expect(crossed.differences.map(({ what }) => what)).toEqual(['only-here', 'only-there']);
});

test('CHK-8: receipts outside the period, and refunds that were made in another way, are no differences', () => {
  const april = receipt('a', { paidAt: '2026-04-01T00:00:00.000Z' });
  const byHand = receipt('b', { kind: 'refund', reference: undefined });
  expect(reconcile([], [april, byHand], march)).toEqual({ differences: [], days: [], agreeing: 0, elsewhere: 1 });
});
