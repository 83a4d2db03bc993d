import type { Caller } from '#domain/kernel/caller';
import { receiptsStream } from '#domain/receipts/receipts';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import { CommandHandler } from '#requests/command-handler';
import { driveProcess, type FactSpec } from '#test/process-driver';
import type { CommandWish } from './process.ts';
import { receipts } from './receipts.ts';

const AT = '2026-03-02T15:00:00.000Z';
const currency = 'USD';
const caller: Caller = { kind: 'process', actor: 'process:receipts', roles: ['process'], stores: 'all' };
type Spec = FactSpec<(typeof receipts)['eventTypes'][number]>;

const placed = (orderId: string, more: object = {}): Spec => [
  `order-${orderId}`,
  'OrderPlaced',
  {
    customerId: 'c1',
    storeId: 's1',
    leadTypeId: 't1',
    quantity: 10,
    pricePerLeadCents: 100,
    bonusLeads: 1,
    currency,
    ...more,
  },
];
const captured = (orderId: string, amountCents = 1000): Spec => [
  `order-${orderId}`,
  'PaymentCaptured',
  { reference: `pi_${orderId}`, amountCents, currency },
];
const refunded = (refundId: string, amountCents: number): Spec => [
  'order-o1',
  'PaymentRefunded',
  { refundId, renewalNumber: 0, reference: `re_${refundId}`, amountCents, currency },
];
const issued = (kind: string, more: object = {}): Spec => [
  'receipts-s1',
  'ReceiptIssued',
  { kind, number: 1, orderId: 'o1', renewalNumber: 0, ...more },
];
const driven = (...facts: readonly Spec[]) => {
  const process = driveProcess(receipts, AT);
  for (const fact of facts) process.fold(...fact);
  return process;
};
const commandsOf = (wishes: readonly unknown[]) => (wishes as CommandWish[]).map(({ command }) => command);

describe('receipts', () => {
  it('CHK-8: are issued for all charges and refunds of a log that has none, in its order', () => {
    const renewed: Spec = [
      'order-o1',
      'OrderReopened',
      { renewalNumber: 1, quantity: 10, bonusLeads: 2, totalCents: 1000, paymentReference: 'pi_r', currency },
    ];
    const late: Spec = ['order-o2', 'PaymentCapturedTooLate', { reference: 'pi_2', amountCents: 1000, currency }];
    const settled: Spec = ['order-o1', 'RefundSettled', { refundId: 'r2', renewalNumber: 1, amountCents: 5, currency }];
    const { wishes } = driven(placed('o1'), placed('o2'), captured('o1'), refunded('r1', 400), renewed, late, settled);
    expect(
      commandsOf(wishes()).map((command) => {
        const { type, orderId, renewalNumber, reference, amountCents } = command as never as Record<string, unknown>;
        return [type, orderId, renewalNumber, reference, amountCents];
      }),
    ).toEqual([
      ['IssueChargeReceipt', 'o1', 0, 'pi_o1', 1000],
      ['IssueRefundReceipt', 'o1', 0, 're_r1', 400],
      ['IssueChargeReceipt', 'o1', 1, 'pi_r', 1000],
      ['IssueChargeReceipt', 'o2', 0, 'pi_2', 1000],
      ['IssueRefundReceipt', 'o1', 1, undefined, 5],
    ]);
    expect(wishes()).toEqual([]);
  });

  it('CHK-8: are not issued again after a restart, nor for what cost nothing', () => {
    const all = [placed('o1'), captured('o1'), refunded('r1', 400)] as const;
    expect(driven(...all, issued('charge')).wishesAt()).toEqual(['IssueRefundReceipt']);
    expect(
      driven(...all, issued('charge'), issued('refund', { refundId: 'r1', reference: 're_r1' })).wishesAt(),
    ).toEqual([]);
    expect(driven(placed('o1'), captured('o1', 0)).wishesAt()).toEqual([]);
  });

  it('CHK-8: a refund that was refused because its charge has no receipt yet is issued after it', () => {
    const { fold, wishes, wishesAt, state } = driven(placed('o1'), captured('o1'), refunded('r1', 400));
    const [, refund] = wishes();
    receipts.refused?.(state(), refund as CommandWish, { refused: true, code: 'charge-without-receipt', message: '' });
    expect(wishesAt()).toEqual([]);
    fold(...issued('charge'));
    expect(wishesAt()).toEqual(['IssueRefundReceipt']);
  });

  it('CHK-8: a refund that came back, and its next attempt, have one each, also in a log of an older version', () => {
    const back: Spec = [
      'order-o1',
      'RefundReturned',
      { refundId: 'r1', renewalNumber: 0, reference: 'pi_o1', currency },
    ];
    const again: Spec = [
      'order-o1',
      'PaymentRefunded',
      { refundId: 'r1', renewalNumber: 0, reference: 're_2', amountCents: 400, currency },
    ];
    const old = [placed('o1'), captured('o1'), issued('charge'), refunded('r1', 400)] as const;
    const receipt = issued('refund', { refundId: 'r1', reference: 're_r1' });
    const { wishes, state, fold, wishesAt } = driven(...old, receipt, back, again);
    const [first, second] = wishes() as [CommandWish, CommandWish];
    expect(commandsOf([first, second])).toMatchObject([
      { type: 'IssueReturnedRefundReceipt', refundId: 'r1', reference: 're_r1' },
      { type: 'IssueRefundReceipt', refundId: 'r1', reference: 're_2', amountCents: 400 },
    ]);
    receipts.refused?.(state(), second, { refused: true, code: 'returned-refund-without-receipt', message: '' });
    expect(wishesAt()).toEqual([]);
    fold(...issued('refund-returned', { refundId: 'r1', reference: 're_r1' }));
    expect(wishesAt()).toEqual(['IssueRefundReceipt']);
    fold(...issued('refund', { refundId: 'r1', reference: 're_2' }));
    expect(wishesAt()).toEqual([]);
  });

  it('CHK-8: a refund whose receipt an older version issued for its next attempt is not asked for without an end', () => {
    const back: Spec = [
      'order-o1',
      'RefundReturned',
      { refundId: 'r1', renewalNumber: 0, reference: 'pi_o1', currency },
    ];
    const again: Spec = [
      'order-o1',
      'PaymentRefunded',
      { refundId: 'r1', renewalNumber: 0, reference: 're_2', amountCents: 400, currency },
    ];
    const receipt = issued('refund', { refundId: 'r1', reference: 're_2' });
    const all = [placed('o1'), captured('o1'), issued('charge'), refunded('r1', 400), back, again, receipt] as const;
    const { wishes, state } = driven(...all);
    const refuse = (wish: unknown) =>
      receipts.refused?.(state(), wish as CommandWish, { refused: true, code: 'any', message: '' });
    const asked = [2, 1, 0].map((expected) => {
      const now = wishes();
      now.forEach(refuse);
      return [expected, now.length];
    });
    expect(asked).toEqual([
      [2, 2],
      [1, 1],
      [0, 0],
    ]);
  });

  it('CHK-8: several programs that issue the same ones at once give each number once, without gaps', async () => {
    const orders = Array.from({ length: 30 }, (_, index) => `o${index + 1}`);
    const facts = orders.flatMap((orderId) => [placed(orderId), captured(orderId)]);
    const store = await openEmbeddedStore();
    const programs = [1, 2, 3].map(() => new CommandHandler(store));
    const sent = programs.flatMap((program) =>
      (driven(...facts, refunded('r1', 400)).wishes() as CommandWish[]).map(async ({ stream, command, commandId }) => {
        const cause = { commandId, correlationId: commandId, actor: 'process:receipts' };
        return program.execute({
          stream,
          command: { ...command, at: AT } as never,
          caller,
          cause,
        });
      }),
    );
    const outcomes = await Promise.all(sent);
    expect(outcomes.every(({ kind }) => kind === 'accepted')).toBe(true);
    const numbers: number[] = [];
    for await (const { data } of store.readStream(receiptsStream('s1')))
      numbers.push(JSON.parse(new TextDecoder().decode(data)).number);
    expect(numbers).toEqual(Array.from({ length: 31 }, (_, index) => index + 1));
    await store.close();
  });
});
