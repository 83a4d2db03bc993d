import type { RawEvent } from './raw-log.ts';
import { ReceiptCheck } from './receipts.ts';

const DAY = 24 * 3_600_000;
const on = (day: number): string => new Date(Date.parse('2026-05-01T12:00:00.000Z') + day * DAY).toISOString();

type Line = readonly [type: string, data: object, stream?: string];

const placed: Line = ['OrderPlaced', { storeId: 's1' }];
const captured: Line = ['PaymentCaptured', { amountCents: 1000 }];
const renewed: Line = ['OrderReopened', { totalCents: 1000, renewalNumber: 1 }];
const given: Line = ['PaymentRefunded', { amountCents: 400, renewalNumber: 0, refundId: 'r1', reference: 're_1' }];
const again: Line = ['PaymentRefunded', { amountCents: 400, renewalNumber: 0, refundId: 'r1', reference: 're_2' }];
const cameBack: Line = ['RefundReturned', { amountCents: 400, renewalNumber: 0, refundId: 'r1', reference: 'pi_1' }];
const taxes = [{ name: 'VAT', percent: 19 }];
const set: Line = ['TaxesSet', { taxes, effectiveFrom: on(0) }, 'receipts-s1'];
const issued = (number: number, more: object = {}, store = 's1'): Line => [
  'ReceiptIssued',
  {
    number,
    kind: 'charge',
    orderId: 'o1',
    renewalNumber: 0,
    paidAt: on(0),
    amountCents: 1000,
    lines: [{ amountCents: 1200 }, { amountCents: -200 }],
    taxes: [],
    ...more,
  },
  `receipts-${store}`,
];
const refunded = (number: number, more: object = {}): Line =>
  issued(number, {
    kind: 'refund',
    refundId: 'r1',
    reference: 're_1',
    chargeNumber: 1,
    amountCents: 400,
    lines: [{ amountCents: 400 }],
    ...more,
  });
const takenBack = (number: number, more: object = {}): Line =>
  refunded(number, {
    kind: 'refund-returned',
    refundNumber: 2,
    amountCents: -400,
    lines: [{ amountCents: -400 }],
    ...more,
  });
const later = (day: number): Line => ['OrderFilled', { at: on(day) }];

/** When the last event happened. */
const nowIn = (lines: readonly Line[]): number => Date.parse({ at: on(0), ...lines.at(-1)?.[1] }.at);

function check(lines: readonly Line[]) {
  const laws = new ReceiptCheck();
  const broken = lines.flatMap(([type, data, stream = 'order-o1'], revision) =>
    laws.take({
      stream,
      id: stream.slice(stream.indexOf('-') + 1),
      revision,
      ordinal: revision,
      type,
      data: { at: on(0), ...data },
      cause: {},
    } as RawEvent),
  );
  return { broken: broken.length, missing: laws.missing(nowIn(lines)).length };
}

describe('the laws of receipts', () => {
  it.each<[string, readonly Line[]]>([
    [
      'each charge and each refund has one',
      [placed, captured, renewed, issued(1), issued(2, { renewalNumber: 1 }), given, refunded(3)],
    ],
    [
      'a charge is a moment old',
      [placed, captured, issued(1), later(2), ['OrderReopened', { at: on(2), totalCents: 1, renewalNumber: 1 }]],
    ],
    [
      'a refund came back, and was made once more',
      [
        ...[placed, captured, issued(1), given, refunded(2), cameBack, takenBack(3)],
        ...[again, refunded(4, { reference: 're_2' }), later(9)],
      ],
    ],
    [
      'a refund of all came back, and was made once more, before its receipts were issued',
      [
        ...[placed, ['PaymentCaptured', { amountCents: 400 }] as Line, given, cameBack, again],
        issued(1, { amountCents: 400, lines: [{ amountCents: 400 }] }),
        ...[refunded(2), takenBack(3), refunded(4, { reference: 're_2' }), later(9)],
      ],
    ],
    ['an older version wrote the log', [placed, captured, later(9)]],
    [
      'the receipts of an older version are being issued',
      [placed, captured, renewed, later(9), issued(1, { at: on(9) })],
    ],
    [
      'the order cost nothing',
      [placed, ['PaymentCaptured', { amountCents: 0 }], renewed, issued(1, { renewalNumber: 1 }), later(9)],
    ],
    [
      'the amount includes taxes, and a refund its share',
      [
        set,
        placed,
        captured,
        issued(1, { taxes: [{ ...taxes[0], taxCents: 160 }] }),
        given,
        refunded(2, { taxes: [{ ...taxes[0], taxCents: 64 }] }),
      ],
    ],
  ])('hold where %s', (_, lines) => {
    expect(check(lines)).toEqual({ broken: 0, missing: 0 });
  });

  it.each<[string, readonly Line[]]>([
    ['a number is left out', [placed, captured, issued(2)]],
    ['a number is given twice', [placed, captured, renewed, issued(1), issued(1, { renewalNumber: 1 })]],
    ['a charge has two', [placed, captured, issued(1), issued(2)]],
    ['nothing was captured', [placed, issued(1)]],
    ['the amount is another one', [placed, captured, issued(1, { amountCents: 999 })]],
    ['the lines do not add up', [placed, captured, issued(1, { lines: [{ amountCents: 999 }] })]],
    ['it is of another store', [placed, captured, issued(1, {}, 's2')]],
    ['the store had set a tax', [set, placed, captured, issued(1)]],
    ['the store had set no tax', [placed, captured, issued(1, { taxes: [{ ...taxes[0], taxCents: 160 }] })]],
    [
      'a refund names the receipt of another charge',
      [placed, captured, issued(1), given, refunded(2, { chargeNumber: 2 })],
    ],
    [
      'a refund that came back is made once more, and has the receipt of before',
      [placed, captured, issued(1), given, refunded(2), cameBack, takenBack(3), again, refunded(4)],
    ],
    ['a refund that did not come back is taken back', [placed, captured, issued(1), given, refunded(2), takenBack(3)]],
    [
      'another receipt is taken back than that of the refund that came back',
      [placed, captured, issued(1), given, refunded(2), cameBack, takenBack(3, { refundNumber: 1 })],
    ],
    [
      'a refund that came back does not take back its taxes',
      [
        ...[set, placed, captured, issued(1, { taxes: [{ ...taxes[0], taxCents: 160 }] })],
        ...[given, refunded(2, { taxes: [{ ...taxes[0], taxCents: 64 }] }), cameBack],
        takenBack(3, { taxes: [{ ...taxes[0], taxCents: 0 }] }),
      ],
    ],
    ['a refund comes before its charge', [placed, captured, given, refunded(1)]],
  ])('are broken where %s', (_, lines) => {
    expect(check(lines)).toMatchObject({ broken: 1 });
  });

  it('are broken where a refund that came back, or its next attempt, has none: an older version issued none', () => {
    const old = [placed, captured, issued(1), given, refunded(2), cameBack] as const;
    expect(check([...old, later(1)])).toEqual({ broken: 0, missing: 1 });
    expect(check([...old, again, later(1)])).toEqual({ broken: 0, missing: 2 });
  });

  it('are broken where a charge or a refund has none a day later', () => {
    expect(check([placed, captured, renewed, issued(1), later(1)])).toMatchObject({ missing: 1 });
    expect(check([placed, captured, issued(1), given, later(1)])).toMatchObject({ missing: 1 });
  });
});
