import { Readable } from 'node:stream';
import { Body, Controller, Get, Inject, Put, Query, Res, UseInterceptors } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { type Contact, contact } from '#domain/leads/contact';
import {
  type DeliveredLead,
  deliveredLead,
  deliveredLeadWithReturnExample,
} from '#read-models/queries/delivered-leads';
import type { ReadModels } from '#read-models/read-models';
import type { Answer, RequestContext } from '#requests/request-tools';
import type { Requests } from '#requests/requests';
import type { Vault } from '#vault/vault';
import { READ_MODELS, REQUESTS, VAULT } from '#wiring/tokens';
import { CommandRoute, Problems } from './answers.ts';
import { Asking } from './caller.ts';
import { csvLine } from './csv.ts';
import { Count, FieldNames, Id, Line, Sort } from './fields.ts';
import { IdOf, notFound } from './ids.ts';
import { mentions } from './mentions.ts';
import { type Reader, Reading } from './reading.ts';
import { listOf, PageQuery, pageRequest, ReadQuery, ReadRoute, WaitFor } from './reads.ts';

const search: Parameters<typeof Line>[0] = {
  description:
    'Persons whose details contain all these words, or whose telephone number contains these digits (DLV-9).',
  example: 'ada byron',
  maxLength: 100,
  optional: true,
};

class DownloadQuery extends ReadQuery {
  @Id({ description: 'Leads of this order only.', optional: true })
  orderId?: string;

  @Line(search)
  search?: string;
}

class RateContactBody {
  @Count({ description: 'The rating, from 1 to 5.', example: 4, maximum: 5 })
  rating!: number;
}

/** A delivered lead with its contact opened. */
const openedLead = deliveredLead
  .extend({ contact: contact.nullable().describe('The person. Null once the person was erased.') })
  .meta({ id: 'DeliveredLead' });
type OpenedLead = z.infer<typeof openedLead>;

const openedLeadExample: OpenedLead = {
  ...deliveredLeadWithReturnExample,
  contact: { firstName: 'Ada', lastName: 'Byron', telephone: '+1 212 555 0142', email: 'ada@example.com' },
};

/** Without it, spreadsheets read the file as Latin-1. */
const BYTE_ORDER_MARK = '\ufeff';

const contactColumns = Object.keys(contact.shape) as (keyof Contact)[];
const columns = [
  ...(['deliveredAt', 'leadTypeId', 'orderId', 'leadId'] as const),
  ...contactColumns,
  ...(['rating', 'replacementStatus'] as const),
];

class DeliveredLeadsQuery extends PageQuery {
  @Id({ description: 'Leads of this order only.', optional: true })
  orderId?: string;

  @Id({ description: 'Leads delivered as this type only.', example: 'exclusive-real-time', optional: true })
  leadTypeId?: string;

  @Line(search)
  search?: string;

  @Sort('deliveredAt', '-deliveredAt')
  sort?: string;

  @FieldNames(openedLead)
  fields?: string;
}

@ApiTags('delivered leads')
@Controller('api/customers/:customerId')
export class DeliveredLeadsController {
  readonly #requests: Requests;
  readonly #queries: ReadModels['queries'];
  readonly #vault: Vault;

  constructor(
    @Inject(REQUESTS) requests: Requests,
    @Inject(READ_MODELS) { queries }: ReadModels,
    @Inject(VAULT) vault: Vault,
  ) {
    this.#requests = requests;
    this.#queries = queries;
    this.#vault = vault;
  }

  @Get('leads')
  @ReadRoute({
    summary: 'Leads that were delivered to a customer, newest first (BCK-1); a search covers all of them (DLV-9)',
    answer: listOf(openedLead),
    example: { items: [openedLeadExample] },
  })
  async listDeliveredLeads(
    @IdOf('customer') customerId: string,
    @Query() { search, ...query }: DeliveredLeadsQuery,
    @Reading() reader: Reader,
  ) {
    await this.#mustExist(reader, customerId);
    const request = { ...pageRequest(query), customerId };
    const { deliveredLeads } = this.#queries;
    if (search !== undefined) return deliveredLeads.pick(reader, request, (row) => this.#found(row, search));
    const page = await deliveredLeads.list(reader, request);
    return { ...page, items: await Promise.all(page.items.map((row) => this.#opened(row))) };
  }

  @Get('leads/:leadId')
  @ReadRoute({
    summary: 'A delivered lead, as the Contact Manager shows it (BCK-1)',
    answer: openedLead,
    example: openedLeadExample,
  })
  async getDeliveredLead(
    @IdOf('customer') customerId: string,
    @IdOf('lead') leadId: string,
    @Query() _: ReadQuery,
    @Reading() reader: Reader,
  ) {
    const row = await this.#queries.deliveredLeads.find(reader, customerId, leadId);
    if (!row) throw notFound('lead', leadId);
    return this.#opened(row);
  }

  @Get('leads.csv')
  @UseInterceptors(WaitFor)
  @ApiOperation({ summary: 'The delivered leads as a file for spreadsheets (DLV-9)' })
  @ApiResponse({
    status: 200,
    description: 'CSV in UTF-8. A text that a spreadsheet would run as a formula begins with an apostrophe.',
    content: { 'text/csv': { schema: { type: 'string' }, example: csvLine(columns) } },
  })
  @Problems(400, 404, 503)
  async downloadDeliveredLeads(
    @IdOf('customer') customerId: string,
    @Query() { orderId, search }: DownloadQuery,
    @Reading() reader: Reader,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    await this.#mustExist(reader, customerId);
    reply
      .type('text/csv; charset=utf-8')
      .header('content-disposition', `attachment; filename="leads-${customerId}.csv"`);
    return Readable.from(this.#csv(reader, { customerId, orderId }, search));
  }

  @Put('leads/:leadId/rating')
  @CommandRoute({ summary: 'Rate a contact from 1 to 5 (RPL-1)', answers: 'leadId', records: ['ContactRated'] })
  rateContact(
    @IdOf('customer') customerId: string,
    @IdOf('lead') leadId: string,
    @Body() { rating }: RateContactBody,
    @Asking() context: RequestContext,
  ): Promise<Answer> {
    return this.#requests.leads.rate(customerId, leadId, rating, context);
  }

  async *#csv(
    reader: Reader,
    which: { customerId: string; orderId: string | undefined },
    search: string | undefined,
  ): AsyncGenerator<string> {
    yield BYTE_ORDER_MARK + csvLine(columns);
    for await (const row of this.#queries.deliveredLeads.each(reader, which)) {
      const found = await (search === undefined ? this.#opened(row) : this.#found(row, search));
      if (!found) continue;
      const { contact: person, ...lead } = found;
      const cells: Record<string, unknown> = { ...lead, ...person };
      yield csvLine(columns.map((column) => (cells[column] ?? undefined) as string | number | undefined));
    }
  }

  async #opened(row: DeliveredLead): Promise<OpenedLead> {
    return { ...row, contact: ((await this.#vault.open(row.contact)) as Contact | undefined) ?? null };
  }

  /** Nobody is found by what was erased. */
  async #found(row: DeliveredLead, search: string): Promise<OpenedLead | undefined> {
    const lead = await this.#opened(row);
    return lead.contact && mentions(lead.contact, search) ? lead : undefined;
  }

  async #mustExist(reader: Reader, customerId: string): Promise<void> {
    if (!(await this.#queries.customers.find(reader, customerId))) throw notFound('customer', customerId);
  }
}
