import type { ReceiptSheet } from '#domain/receipts/sheet';
import { receiptHtml } from './receipt-html.ts';
import { receiptPdf } from './receipt-pdf.ts';

const sheet: ReceiptSheet = {
  storeName: 'Ätna & Søn',
  webAddress: 'https://store.example',
  leadTypeName: 'Exclusive evening leads',
  buyer: ['Zoë Ångström', 'Γιώργος Ω', 'Анна Иванова', '王小明', 'שלום עולם', 'Springfield IL 62701'],
  number: 17,
  kind: 'charge',
  chargeNumber: null,
  refundNumber: null,
  orderId: '3b1c6f0e-6a55-5d0b-8a35-2f3d3b7a9c11',
  renewalNumber: 2,
  paidAt: '2026-03-01T09:30:01.000Z',
  issuedAt: '2026-03-01T09:30:02.000Z',
  amountCents: 23_750,
  currency: 'USD',
  lines: [
    { kind: 'leads', quantity: 25, pricePerLeadCents: 1000, amountCents: 25_000 },
    { kind: 'discount', couponCode: 'SPRING 26', amountCents: -1250 },
    { kind: 'bonus-leads', quantity: 1, amountCents: 0 },
  ],
  taxes: [{ name: 'Sales tax', percent: 8, taxCents: 1759 }],
};

test('CHK-8: a page to print says what was bought, for how much, and the taxes in it', () => {
  const html = receiptHtml(sheet);
  for (const text of [
    'Receipt 17',
    'renewal 2',
    '25 leads, Exclusive evening leads, $10.00 each',
    'Discount with the coupon SPRING 26',
    '-$12.50',
    '1 bonus lead<',
    '$237.50',
    'Including Sales tax, 8%',
    '$219.91',
    '王小明',
  ])
    expect(html).toContain(text);
});

test('CHK-8: texts of people and stores are shown as they are, and never as HTML', () => {
  const html = receiptHtml({ ...sheet, storeName: '<script>1</script>', buyer: ['"><img src=x>'] });
  expect(html).not.toMatch(/<script>|<img/);
});

test('CHK-8: the same receipt is the same PDF, of one page, whenever it is made', async () => {
  const pdf = await receiptPdf(sheet);
  expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
  expect(await receiptPdf(sheet)).toEqual(pdf);
  expect(pdf.toString('latin1').match(/\/Type \/Page\b/g)).toHaveLength(1);
  expect(pdf.toString('latin1')).toContain('D:20260301093002Z');
});

test('CHK-8: a receipt with long and many texts is a PDF, too', async () => {
  const long = 'x'.repeat(2000);
  const lines = Array.from({ length: 120 }, () => ({ kind: 'discount' as const, couponCode: long, amountCents: -1 }));
  const pdf = await receiptPdf({ ...sheet, storeName: long, buyer: [long, '\u202e\ud83d\ude00'], lines });
  expect(pdf.length).toBeGreaterThan(1000);
});
