import { counted } from '#domain/kernel/counted';
import { formatMoney } from '#domain/kernel/minor-units';
import type { ReceiptLine } from '#domain/receipts/lines';
import type { ReceiptSheet } from '#domain/receipts/sheet';

/** A text with its amount. */
type Row = readonly [text: string, amount: string];

/** The texts of a receipt, for HTML and PDF alike. */
export interface ReceiptTexts {
  readonly title: string;
  /** What it is of, and when. */
  readonly about: readonly Row[];
  readonly rows: readonly Row[];
  readonly total: Row;
  /** The taxes that the total includes, and the rest of it; empty where the store has set none. */
  readonly taxes: readonly Row[];
}

/** Of the PDF: in ASCII, so that every mail program and browser keeps it. */
export const receiptFileName = ({ kind, number }: ReceiptSheet): string =>
  kind === 'charge' ? `receipt-${number}.pdf` : `${kind}-receipt-${number}.pdf`;

/** Of each kind: what the title adds, and what happened to the money. */
const words: Readonly<Record<ReceiptSheet['kind'], { readonly title: string; readonly total: string }>> = {
  charge: { title: '', total: 'Paid' },
  refund: { title: ' of a refund', total: 'Given back' },
  'refund-returned': { title: ' of a refund that came back', total: 'Came back' },
};

export function receiptTexts(sheet: ReceiptSheet): ReceiptTexts {
  const { number, kind, amountCents, currency, taxes } = sheet;
  const money = (cents: number) => formatMoney(cents, currency);
  const taxCents = taxes.reduce((sum, one) => sum + one.taxCents, 0);
  const included = taxes.map(({ name, percent, taxCents }): Row => [`Including ${name}, ${percent}%`, money(taxCents)]);
  return {
    title: `Receipt ${number}${words[kind].title}`,
    about: aboutOf(sheet),
    rows: sheet.lines.map((line) => [textOf(line, sheet), money(line.amountCents)]),
    total: [words[kind].total, money(amountCents)],
    taxes: taxes.length > 0 ? [...included, ['Without taxes', money(amountCents - taxCents)]] : [],
  };
}

function aboutOf({
  kind,
  chargeNumber,
  refundNumber,
  orderId,
  renewalNumber,
  paidAt,
  issuedAt,
}: ReceiptSheet): readonly Row[] {
  const order = renewalNumber === 0 ? orderId : `${orderId}, renewal ${renewalNumber}`;
  return [
    ['Order', order],
    ...(chargeNumber === null ? [] : [['Refund of', `receipt ${chargeNumber}`] as const]),
    ...(refundNumber === null ? [] : [['Takes back', `receipt ${refundNumber}`] as const]),
    [`${words[kind].total} on`, dayOf(paidAt)],
    ['Issued on', dayOf(issuedAt)],
  ];
}

const dayOf = (at: string): string => `${at.slice(0, 10)} (UTC)`;

function textOf(
  { kind, quantity = 0, pricePerLeadCents = 0, couponCode }: ReceiptLine,
  { leadTypeName, currency }: ReceiptSheet,
): string {
  switch (kind) {
    case 'leads':
      return `${counted(quantity, 'lead')}, ${leadTypeName}, ${formatMoney(pricePerLeadCents, currency)} each`;
    case 'bonus-leads':
      return counted(quantity, 'bonus lead');
    case 'discount':
      return `Discount with the coupon ${couponCode ?? ''}`;
    case 'payment':
      return `Payment for ${leadTypeName}`;
    case 'refund':
      return `Refund of a payment for ${leadTypeName}`;
  }
}
