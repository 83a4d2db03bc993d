import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { Font } from 'fontkit';
import type { ReceiptSheet } from '#domain/receipts/sheet';
import { receiptTexts } from './receipt-texts.ts';

type Document = PDFKit.PDFDocument;

const MARGIN = 56;
const SIZE = 10;
const GAP = 6;
const AMOUNT_WIDTH = 110;

const fontPath = (name: string): string =>
  join(dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json')), 'ttf', name);

/** The font has Latin, Greek, Cyrillic, Armenian, Georgian, Hebrew and Arabic letters. Others are shown as this. */
const NOT_IN_FONT = '\ufffd';

/** Loaded with the first receipt: a program starts sooner without them. */
let libraries: ReturnType<typeof load> | undefined;

async function load() {
  const [{ default: PDFDocument }, { openSync }] = await Promise.all([import('pdfkit'), import('fontkit')]);
  const open = (name: string) => openSync(fontPath(name)) as Font;
  return { PDFDocument, regular: open('DejaVuSans.ttf'), bold: open('DejaVuSans-Bold.ttf') };
}

/** A receipt as one page of A4. The same receipt has always the same bytes, as long as it shows the same. */
export async function receiptPdf(sheet: ReceiptSheet): Promise<Buffer> {
  libraries ??= load();
  const { PDFDocument, regular, bold } = await libraries;
  const { title, about, rows, total, taxes } = receiptTexts(sheet);
  const issuedAt = new Date(sheet.issuedAt);
  const info = { Title: `${title}, ${sheet.storeName}`, CreationDate: issuedAt, ModDate: issuedAt };
  const document = new PDFDocument({ size: 'A4', margin: MARGIN, info, lang: 'en' });
  const bytes = buffer(document);
  // Fonts that are open: a document would decode those of a file again, half of the work for a receipt.
  document.registerFont('regular', regular as never);
  document.registerFont('bold', bold as never);
  const page = new Page(document, regular);
  page.line(sheet.storeName, 'bold');
  page.line(sheet.webAddress);
  page.heading(title);
  for (const line of sheet.buyer) page.line(line);
  page.space();
  for (const row of about) page.fact(row);
  page.space();
  for (const row of rows) page.amount(row);
  page.amount(total, 'bold');
  for (const row of taxes) page.amount(row);
  document.end();
  return bytes;
}

type Row = readonly [text: string, amount: string];
type Weight = 'regular' | 'bold';

/** Writes from top to bottom. */
class Page {
  readonly #document: Document;
  readonly #font: Font;
  readonly #width: number;

  constructor(document: Document, font: Font) {
    this.#document = document;
    this.#font = font;
    this.#width = document.page.width - 2 * MARGIN;
  }

  space(): void {
    this.#document.moveDown();
  }

  heading(text: string): void {
    this.space();
    this.#write(text, { weight: 'bold', size: 2 * SIZE });
    this.space();
  }

  line(text: string, weight: Weight = 'regular'): void {
    this.#write(text, { weight });
  }

  fact([name, value]: Row): void {
    this.#beside(name, value, { width: AMOUNT_WIDTH, align: 'left' }, 'regular');
  }

  /** With the amount at the right, and a line below it. */
  amount([text, amount]: Row, weight: Weight = 'regular'): void {
    this.#beside(text, amount, { width: this.#width - AMOUNT_WIDTH, align: 'right' }, weight);
    const y = this.#document.y + GAP / 2;
    this.#document
      .moveTo(MARGIN, y)
      .lineTo(MARGIN + this.#width, y)
      .lineWidth(0.5)
      .strokeColor('#bbb')
      .stroke();
    this.#document.y = y + GAP;
  }

  #beside(left: string, right: string, { width, align }: { width: number; align: 'left' | 'right' }, weight: Weight) {
    const { y } = this.#document;
    this.#write(right, { weight, x: MARGIN + width, width: this.#width - width, align });
    const end = this.#document.y;
    this.#document.y = y;
    this.#write(left, { weight, width: width - GAP });
    this.#document.y = Math.max(end, this.#document.y);
    this.#document.x = MARGIN;
  }

  #write(
    text: string,
    {
      weight = 'regular',
      size = SIZE,
      x = MARGIN,
      ...options
    }: Partial<{ weight: Weight; size: number; x: number; width: number; align: 'left' | 'right' }>,
  ): void {
    const shown = this.#shown(text);
    // With features, a line is laid out as a whole: else the words of Hebrew and Arabic would be in the wrong order.
    const features: PDFKit.Mixins.OpenTypeFeatures[] = RIGHT_TO_LEFT.test(shown) ? ['ccmp'] : [];
    this.#document.font(weight).fontSize(size).fillColor('#222');
    this.#document.text(shown, x, this.#document.y, { ...options, ...(features.length > 0 && { features }) });
  }

  #shown(text: string): string {
    return Array.from(text, (letter) =>
      this.#font.hasGlyphForCodePoint(letter.codePointAt(0) as number) ? letter : NOT_IN_FONT,
    ).join('');
  }
}

const RIGHT_TO_LEFT = /[\p{Script=Hebrew}\p{Script=Arabic}]/u;
