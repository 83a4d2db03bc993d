import { z } from 'zod';
import { type FactOf, idOf } from '#domain/codec';
import { receiptLine } from '#domain/receipts/lines';
import { receiptKinds } from '#domain/receipts/receipts';
import { taxShare } from '#domain/receipts/taxes';
import { column } from '../engine/columns.ts';
import { model, table } from '../engine/model.ts';
import { exampleIds } from './examples.ts';

export const receiptRow = z.object({
  receiptId: column.id().describe('Id of the receipt.'),
  storeId: column.id().describe('Store that issued it.'),
  number: column.count().describe('Its number: 1, 2, 3 … in each store, without gaps.'),
  kind: column
    .oneOf(receiptKinds)
    .describe('Whether a charge was captured, money was given back, or what was given back came back from the bank.'),
  orderId: column.id().describe('Order that was paid.'),
  customerId: column.id().describe('Customer who paid.'),
  leadTypeId: column.id().describe('Lead type that was bought.'),
  renewalNumber: column.count().describe('Which payment of the order: the number of its renewal; 0 is the first one.'),
  refundId: column.id().nullable().describe('Id of the refund. Null: it is a charge.'),
  chargeNumber: column
    .count()
    .nullable()
    .describe('Of a refund: the number of the receipt of the charge. Null: it is a charge.'),
  refundNumber: column
    .count()
    .nullable()
    .describe(
      'Of a refund that came back: the number of its receipt, which this one takes back. Null: of another kind.',
    ),
  paidAt: column.instant().describe('When the charge was captured, or the money was given back, or came back.'),
  issuedAt: column.instant().describe('When the receipt was issued.'),
  reference: column
    .text()
    .nullable()
    .describe('The charge or refund, as the payment provider names it. Null: it was given back in another way.'),
  amountCents: column
    .cents()
    .describe(
      'What was charged or given back, taxes included, in minor units of the currency; below zero when it came back.',
    ),
  taxCents: column.cents().describe('The taxes that the amount includes, in minor units of the currency.'),
  currency: column.text().describe('Currency of the amounts (ISO 4217).'),
  lines: column
    .json(z.array(receiptLine))
    .describe('What was bought, with discount and bonus leads. The lines add up to the amount.'),
  taxes: column
    .json(z.array(taxShare))
    .describe('Each tax that the amount includes, as the store had set it when the money moved.'),
});
export type ReceiptRow = z.infer<typeof receiptRow>;

export const receiptExample: ReceiptRow = {
  receiptId: exampleIds.receiptId,
  storeId: exampleIds.storeId,
  number: 17,
  kind: 'charge',
  orderId: exampleIds.orderId,
  customerId: exampleIds.customerId,
  leadTypeId: exampleIds.leadTypeId,
  renewalNumber: 0,
  refundId: null,
  chargeNumber: null,
  refundNumber: null,
  paidAt: '2026-03-01T09:30:01.000Z',
  issuedAt: '2026-03-01T09:30:01.000Z',
  reference: 'pi_3PZq7W2eZvKYlo2C',
  amountCents: 23_750,
  taxCents: 1759,
  currency: 'USD',
  lines: [
    { kind: 'leads', quantity: 25, pricePerLeadCents: 1000, amountCents: 25_000 },
    { kind: 'discount', couponCode: exampleIds.couponCode, amountCents: -1250 },
  ],
  taxes: [{ name: 'Sales tax', percent: 8, taxCents: 1759 }],
};

export const receiptTable = table(receiptRow, {
  name: 'receipts',
  key: 'receiptId',
  madeOf: { receipts: 'storeId' },
  belongsTo: { customer: 'customerId', store: 'storeId' },
  indexes: [
    'issued_at DESC, receipt_id DESC',
    'customer_id, issued_at DESC, receipt_id DESC',
    'order_id, issued_at DESC, receipt_id DESC',
    'store_id, number',
  ],
});

const storeTaxesRow = z.object({
  storeTaxesId: column.id().describe('Stream and place of the event.'),
  storeId: column.id().describe('Store of the taxes.'),
  stream: column.id().describe('Name of the stream.'),
  place: column.count().describe('The revision of the event.'),
});

/** Where taxes were set: the stream is full of receipts. */
export const storeTaxesTable = table(storeTaxesRow, {
  name: 'store_taxes',
  key: 'storeTaxesId',
  belongsTo: { store: 'storeId' },
  indexes: ['store_id, place'],
});

/** The receipts of charges, refunds, and refunds that came back (CHK-8). */
export const receipts = model({
  name: 'receipts',
  tables: [receiptTable, storeTaxesTable],
  keysOf: () => [],
  on: {
    ReceiptIssued: (rows, fact) => rows.put(receiptTable, rowOf(fact)),
    TaxesSet: (rows, { stream, revision: place }) =>
      rows.put(storeTaxesTable, { storeTaxesId: `${stream} ${place}`, storeId: idOf(stream), stream, place }),
  },
});

function rowOf({ stream, data }: FactOf<'ReceiptIssued'>): ReceiptRow {
  const { at: issuedAt, refundId = null, chargeNumber = null, refundNumber = null, reference = null, ...others } = data;
  const taxCents = data.taxes.reduce((sum, one) => sum + one.taxCents, 0);
  return { ...others, storeId: idOf(stream), issuedAt, refundId, chargeNumber, refundNumber, reference, taxCents };
}
