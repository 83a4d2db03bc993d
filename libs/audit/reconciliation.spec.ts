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
    neverMade: 0,
    linesOutside: 0,
    days: [{ day: '2026-03-01', currency: 'USD', thereCents: 1000, hereCents: 1000 }],
  });
});

test('CHK-8: what is only there, only here or differs is listed', () => {
  const lines = [line('a'), line('b'), line('c', { kind: 'refund', amountCents: -300 })];
  const receipts = [
    receipt('b', { amountCents: 999 }),
    receipt('c', { kind: 'refund', amountCents: -300 }),
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
  expect(reconcile([], [april, byHand], march)).toEqual({
    differences: [],
    days: [],
    agreeing: 0,
    elsewhere: 1,
    neverMade: 0,
    linesOutside: 0,
  });
});

test('CHK-8: a refund whose line has the sign of a charge differs', () => {
  const { differences } = reconcile(
    [line('c', { kind: 'refund', amountCents: 300 })],
    [receipt('c', { kind: 'refund', amountCents: -300 })],
    march,
  );
  expect(differences).toMatchObject([{ what: 'differs' }]);
});

test('CHK-8: a refund that came back agrees with the receipt that takes it back, and its next attempt with its own', () => {
  const refund = (id: string) => ({ kind: 'refund', amountCents: -300, references: [id] }) as const;
  const lines = [
    line('1', refund('re_1')),
    line('2', { ...refund('re_1'), kind: 'refund-returned', amountCents: 300 }),
    line('3', refund('re_2')),
  ];
  const made = { kind: 'refund', amountCents: -300, reference: 're_1' } as const;
  const receipts = [
    receipt('1', made),
    receipt('2', { ...made, kind: 'refund-returned', amountCents: 300 }),
    receipt('3', { ...made, reference: 're_2' }),
  ];
  const day = { day: '2026-03-01', currency: 'USD', thereCents: -300, hereCents: -300 };
  expect(reconcile(lines, receipts, march)).toMatchObject({ differences: [], agreeing: 3, days: [day], neverMade: 0 });
  const before = reconcile(lines, receipts.slice(0, 1), march);
  expect(before.differences.map(({ what }) => what)).toEqual(['only-there', 'only-there']);
});

test('CHK-8: a refund that the provider refused after it was created has no receipt, and its two lines cancel each other out', () => {
  const refund = line('1', { kind: 'refund', amountCents: -300, references: ['re_1'] });
  const failure = line('2', { kind: 'refund-returned', amountCents: 300, references: ['re_1'], day: '2026-03-02' });
  expect(reconcile([refund, failure], [], march)).toMatchObject({ differences: [], days: [], neverMade: 1 });
  const less = { ...failure, amountCents: 299 };
  expect(reconcile([refund, less], [], march).differences).toHaveLength(2);
  expect(reconcile([failure], [], march).differences).toMatchObject([{ what: 'only-there' }]);
});

test('CHK-8: what is outside the period is not compared, unless its other side is within', () => {
  const april = { day: '2026-04-01' };
  const lines = [line('a', april), line('b', { ...april, amountCents: 1 }), line('c', april)];
  const inApril = { paidAt: '2026-04-01T00:00:00.000Z' };
  const receipts = [receipt('a', { paidAt: '2026-03-31T23:59:59.999Z' }), receipt('b', inApril)];
  expect(reconcile(lines, receipts, march)).toMatchObject({ differences: [], agreeing: 1, linesOutside: 2 });
});

test('CHK-8: lines outside the period are counted, unless they belong to one within', () => {
  const refund = line('1', { kind: 'refund', amountCents: -300, references: ['re_1'] });
  const failure = line('2', { kind: 'refund-returned', amountCents: 300, references: ['re_1'], day: '2026-04-02' });
  const april = { from: '2026-04-01', to: '2026-04-30' };
  const may = { from: '2026-05-01', to: '2026-05-31' };
  expect(reconcile([refund, failure], [], march)).toMatchObject({ neverMade: 1, linesOutside: 0 });
  expect(reconcile([refund, failure], [], april)).toMatchObject({ neverMade: 1, linesOutside: 0 });
  expect(reconcile([refund, failure], [], may)).toMatchObject({ neverMade: 0, linesOutside: 2 });
});
