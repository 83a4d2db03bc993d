import { Body, Controller, Get, Inject, Put, Query, Res, UseGuards } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Instant } from '#domain/kernel/events';
import { line } from '#domain/kernel/text';
import { receiptKinds } from '#domain/receipts/receipts';
import { type Tax, tax } from '#domain/receipts/taxes';
import { receiptHtml } from '#gateways/receipt-html';
import { receiptPdf } from '#gateways/receipt-pdf';
import { receiptFileName } from '#gateways/receipt-texts';
import { exampleIds } from '#read-models/models/examples';
import { type ReceiptRow, receiptExample, receiptRow } from '#read-models/models/receipts';
import { damaged } from '#read-models/queries/damaged';
import { receiptListing } from '#read-models/queries/receipts';
import type { Queries } from '#requests/queries';
import type { Receipt, RequestContext } from '#requests/request-tools';
import type { Requests } from '#requests/requests';
import { setTaxes, setTaxesExample, taxesInHistory, taxesInHistoryExample } from '#requests/tax-history';
import { QUERIES, REQUESTS } from '#wiring/tokens';
import { Asking } from './caller.ts';
import { Conforming, CountInQuery, FieldNames, Id, InstantField, OneOf, Sort } from './fields.ts';
import { IdOf, notFound } from './ids.ts';
import { LargeReads } from './quotas.ts';
import { type Reader, Reading } from './reading.ts';
import { FileRoute, listOf, PageQuery, pageRequest, ReadQuery, ReadRoute } from './reads.ts';
import { CommandRoute, Problems, Responds } from './responses.ts';
import { sendPage } from './web-headers.ts';

/** Marked when the stream of its store is damaged. */
const receipt = receiptRow.extend({ damaged }).meta({ id: 'Receipt' });
const markedExample: z.infer<typeof receipt> = { ...receiptExample, damaged: false };

class ReceiptsQuery extends PageQuery {
  @Id({ description: 'Receipts of this store only.', example: exampleIds.storeId, optional: true })
  storeId?: string;

  @Id({ description: 'Receipts of this customer only.', optional: true })
  customerId?: string;

  @Id({ description: 'Receipts about this order only.', optional: true })
  orderId?: string;

  @CountInQuery({
    description: 'The receipt with this number; each store has one.',
    maximum: 2_000_000_000,
    optional: true,
  })
  number?: number;

  @OneOf(receiptKinds, {
    description: 'Receipts of charges, of refunds, or of refunds that came back, only.',
    optional: true,
  })
  kind?: ReceiptRow['kind'];

  @Sort(receiptListing)
  sort?: string;

  @FieldNames(receipt)
  fields?: string;
}

const MOST_TAXES = 10;
const taxExample: Tax = { name: 'Sales tax', percent: 8 };
const taxes = z
  .array(z.strictObject({ ...tax.shape, name: line(100).describe('Its name, as receipts show it.') }))
  .max(MOST_TAXES);

class SetTaxesBody {
  @Conforming(taxes, {
    description:
      'The taxes that the prices of the store include: name, and rate in percent with at most four decimal digits. Empty: none.',
    example: [taxExample],
  })
  taxes!: Tax[];

  @InstantField({ description: 'From when they hold, now or later; from now when absent.', optional: true })
  effectiveFrom?: Instant;
}

const taxesOfStore = listOf(setTaxes);
const taxHistory = listOf(taxesInHistory);

const TITLE = 'A receipt as a page to print, with the name and address of the customer opened';

/** Receipts of charges and refunds, and taxes (CHK-8). */
@ApiTags('receipts')
@Controller('api')
export class ReceiptsController {
  readonly #requests: Requests;
  readonly #queries: Queries;

  constructor(@Inject(REQUESTS) requests: Requests, @Inject(QUERIES) queries: Queries) {
    this.#requests = requests;
    this.#queries = queries;
  }

  @Get('receipts')
  @ReadRoute({
    summary: 'Receipts of captured charges, of refunds, and of refunds that came back, newest first (CHK-8)',
    answer: listOf(receipt),
    example: { items: [markedExample] },
  })
  listReceipts(@Query() query: ReceiptsQuery, @Reading() reader: Reader) {
    return this.#queries.receipts.list(reader, pageRequest(query));
  }

  @Get('receipts/:receiptId')
  @ReadRoute({ summary: 'A receipt: number, amount, lines and taxes (CHK-8)', answer: receipt, example: markedExample })
  async getReceipt(@IdOf('receipt') receiptId: string, @Query() _: ReadQuery, @Reading() reader: Reader) {
    const found = await this.#queries.receipts.get(reader, { receiptId });
    if (!found) throw notFound('receipt', receiptId);
    return found;
  }

  @Get('receipts/:receiptId/html')
  @FileRoute({ summary: TITLE, description: 'The receipt.', type: 'text/html', example: '<!doctype html>' })
  async getReceiptPage(
    @IdOf('receipt') receiptId: string,
    @Query() _: ReadQuery,
    @Reading() reader: Reader,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    return sendPage(reply, receiptHtml(await this.#sheet(reader, receiptId)));
  }

  @Get('receipts/:receiptId/pdf')
  @UseGuards(LargeReads)
  @FileRoute({
    summary: 'The same page as a PDF',
    description:
      'The receipt. Letters that its font does not have (it has Latin, Greek, Cyrillic, Armenian, Georgian, Hebrew and Arabic ones) are replaced by U+FFFD.',
    type: 'application/pdf',
    format: 'binary',
    example: '%PDF',
  })
  @Problems(429)
  async getReceiptPdf(
    @IdOf('receipt') receiptId: string,
    @Query() _: ReadQuery,
    @Reading() reader: Reader,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Buffer> {
    const sheet = await this.#sheet(reader, receiptId);
    reply.type('application/pdf').header('content-disposition', `inline; filename="${receiptFileName(sheet)}"`);
    return receiptPdf(sheet);
  }

  @Get('stores/:storeId/taxes')
  @ApiOperation({ summary: 'The taxes that the prices of a store include, past, present and future (CHK-8)' })
  @Responds(200, 'The taxes, by the instant from which they hold; none at first.', taxesOfStore, {
    items: [setTaxesExample],
  })
  @Problems(404)
  async listTaxes(@IdOf('store') storeId: string, @Reading() reader: Reader) {
    const items = await this.#queries.receipts.listTaxes(reader, { storeId });
    if (!items) throw notFound('store', storeId);
    return taxesOfStore.parse({ items });
  }

  @Get('stores/:storeId/taxes/history')
  @ReadRoute({
    summary: 'The same taxes with who set them, and why: staff only (CHK-8)',
    answer: taxHistory,
    example: { items: [taxesInHistoryExample] },
  })
  async listTaxHistory(@IdOf('store') storeId: string, @Query() _: ReadQuery, @Reading() reader: Reader) {
    const items = await this.#queries.receipts.listTaxHistory(reader, { storeId });
    if (!items) throw notFound('store', storeId);
    return { items };
  }

  @Put('stores/:storeId/taxes')
  @CommandRoute({
    summary:
      'Set the taxes that the prices of a store include: they are in the receipts of what is paid from then on (CHK-8)',
    idName: 'storeId',
    records: ['TaxesSet'],
    // Each receipt moves the revision of their stream.
    ifMatch: 'none',
  })
  setTaxes(
    @IdOf('store') storeId: string,
    @Body() body: SetTaxesBody,
    @Asking() context: RequestContext,
  ): Promise<Receipt> {
    return this.#requests.receipts.setTaxes(storeId, body, context);
  }

  async #sheet(reader: Reader, receiptId: string) {
    const sheet = await this.#queries.receipts.sheet(reader, { receiptId });
    if (!sheet) throw notFound('receipt', receiptId);
    return sheet;
  }
}
