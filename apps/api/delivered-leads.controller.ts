import { Readable } from 'node:stream';
import { Body, Controller, Get, Inject, Put, Query, Res, UseInterceptors } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { type Contact, contact } from '#domain/leads/contact';
import type { DeliveredLead } from '#read-models/queries';
import type { ReadModels } from '#read-models/read-models';
import type { Vault } from '#vault/vault';
import { type Answer, type Caller, Requests } from '#wiring/requests';
import { READ_MODELS, VAULT } from '#wiring/tokens';
import { CommandRoute, Problems } from './answers.ts';
import { Asking } from './caller.ts';
import { csvLine } from './csv.ts';
import { Count, FieldNames, Id, Line, Sort } from './fields.ts';
import { IdOf, notFound } from './ids.ts';
import { mentions } from './mentions.ts';
import { listOf, PageQuery, pageRequest, ReadQuery, ReadRoute, WaitFor } from './reads.ts';
import { named } from './schemas.ts';

const search: Parameters<typeof Line>[0] = {
  description: 'persons whose details hold all these words, or a telephone number with these digits (DLV-9)',
  example: 'ada byron',
  maxLength: 100,
  optional: true,
};

class DownloadQuery extends ReadQuery {
  @Id({ description: 'leads of this order only', optional: true })
  orderId?: string;

  @Line(search)
  search?: string;
}

class RateContactBody {
  @Count({ description: '1 to 5', example: 4, maximum: 5 })
  rating!: number;
}

const deliveredLead = z.object({
  deliveredLeadId: z.string(),
  customerId: z.string(),
  leadId: z.string(),
  orderId: z.string(),
  storeId: z.string(),
  leadTypeId: z.string(),
  deliveredAt: z.string().describe('the receipt: returns are possible for some days from it (RPL-2)'),
  localDay: z.string(),
  replacementFor: z.string().nullable(),
  rating: z.int().nullable(),
  replacementId: z.string().describe('under which a return of this lead is found'),
  replacementStatus: z.enum(['requested', 'granted', 'denied', 'replaced']).nullable(),
  contact: contact.nullable().describe('null once the person was erased'),
}) satisfies z.ZodType<Opened<DeliveredLead>>;

const deliveredLeadExample = {
  deliveredLeadId: '8f14e45f-ceea-5b3c-9f2d-6c1d7a3e4b10/0b8f6f0c-1c57-5a6e-9a51-7d0a4c1f2e33',
  customerId: '8f14e45f-ceea-5b3c-9f2d-6c1d7a3e4b10',
  leadId: '0b8f6f0c-1c57-5a6e-9a51-7d0a4c1f2e33',
  orderId: '3b1c6f0e-6a55-5d0b-8a35-2f3d3b7a9c11',
  storeId: 'main',
  leadTypeId: 'exclusive-real-time',
  deliveredAt: '2026-03-01T09:30:00.000Z',
  localDay: '2026-03-01',
  replacementFor: null,
  rating: 4,
  replacementId: '94c43410-7927-59a0-9dec-d32c5d2a8aeb',
  replacementStatus: null,
  contact: { firstName: 'Ada', lastName: 'Byron', telephone: '+1 212 555 0142', email: 'ada@example.com' },
};

type Opened<Row> = Omit<Row, 'contact'> & { readonly contact: Contact | null };

/** Spreadsheets take text for Latin-1 unless it begins with this. */
const BYTE_ORDER_MARK = '\ufeff';

const contactColumns = Object.keys(contact.shape) as (keyof Contact)[];
const columns = [
  ...(['deliveredAt', 'leadTypeId', 'orderId', 'leadId'] as const),
  ...contactColumns,
  ...(['rating', 'replacementStatus'] as const),
];

class DeliveredLeadsQuery extends PageQuery {
  @Id({ description: 'leads of this order only', optional: true })
  orderId?: string;

  @Id({ description: 'leads delivered as this type only', example: 'exclusive-real-time', optional: true })
  leadTypeId?: string;

  @Line(search)
  search?: string;

  @Sort('deliveredAt', '-deliveredAt')
  sort?: string;

  @FieldNames(deliveredLead)
  fields?: string;
}

@ApiTags('delivered leads')
@Controller('api/customers/:customerId')
export class DeliveredLeadsController {
  readonly #requests: Requests;
  readonly #queries: ReadModels['queries'];
  readonly #vault: Vault;

  constructor(
    @Inject(Requests) requests: Requests,
    @Inject(READ_MODELS) { queries }: ReadModels,
    @Inject(VAULT) vault: Vault,
  ) {
    this.#requests = requests;
    this.#queries = queries;
    this.#vault = vault;
  }

  @Get('leads')
  @ReadRoute({
    summary: 'Leads that a customer was given, newest first (BCK-1); a search looks into all of them (DLV-9)',
    answer: listOf('DeliveredLead', deliveredLead),
    example: { items: [deliveredLeadExample] },
  })
  async listDeliveredLeads(@IdOf('customer') customerId: string, @Query() { search, ...query }: DeliveredLeadsQuery) {
    await this.#mustExist(customerId);
    const request = { ...pageRequest(query), customerId };
    if (search !== undefined) return this.#queries.pickDeliveredLeads(request, (row) => this.#found(row, search));
    const page = await this.#queries.listDeliveredLeads(request);
    return { ...page, items: await Promise.all(page.items.map((row) => this.#opened(row))) };
  }

  @Get('leads/:leadId')
  @ReadRoute({
    summary: 'One of them: its page in the Contact Manager (BCK-1)',
    answer: named('DeliveredLead', deliveredLead),
    example: deliveredLeadExample,
  })
  async getDeliveredLead(@IdOf('customer') customerId: string, @IdOf('lead') leadId: string, @Query() _: ReadQuery) {
    const row = await this.#queries.findDeliveredLead(customerId, leadId);
    if (!row) throw notFound('lead', leadId);
    return this.#opened(row);
  }

  @Get('leads.csv')
  @UseInterceptors(WaitFor)
  @ApiOperation({ summary: 'The same as a file for spreadsheets (DLV-9)' })
  @ApiResponse({
    status: 200,
    description: 'CSV in UTF-8; what a spreadsheet would run as a formula has an apostrophe in front',
    content: { 'text/csv': { schema: { type: 'string' }, example: csvLine(columns) } },
  })
  @Problems(400, 404, 503)
  async downloadDeliveredLeads(
    @IdOf('customer') customerId: string,
    @Query() { orderId, search }: DownloadQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    await this.#mustExist(customerId);
    reply
      .type('text/csv; charset=utf-8')
      .header('content-disposition', `attachment; filename="leads-${customerId}.csv"`);
    return Readable.from(this.#csv({ customerId, ...(orderId !== undefined && { orderId }) }, search));
  }

  @Put('leads/:leadId/rating')
  @CommandRoute({ summary: 'Rate a contact from 1 to 5 (RPL-1)', answers: 'leadId', records: ['ContactRated'] })
  rateContact(
    @IdOf('customer') customerId: string,
    @IdOf('lead') leadId: string,
    @Body() { rating }: RateContactBody,
    @Asking() caller: Caller,
  ): Promise<Answer> {
    return this.#requests.rateContact(customerId, leadId, rating, caller);
  }

  async *#csv(which: { customerId: string; orderId?: string }, search?: string): AsyncGenerator<string> {
    yield BYTE_ORDER_MARK + csvLine(columns);
    for await (const row of this.#queries.eachDeliveredLead(which)) {
      const found = await (search === undefined ? this.#opened(row) : this.#found(row, search));
      if (!found) continue;
      const { contact: person, ...lead } = found;
      const cells: Record<string, unknown> = { ...lead, ...person };
      yield csvLine(columns.map((column) => (cells[column] ?? undefined) as string | number | undefined));
    }
  }

  async #opened<Row extends DeliveredLead>(row: Row): Promise<Opened<Row>> {
    return { ...row, contact: ((await this.#vault.open(row.contact)) as Contact | undefined) ?? null };
  }

  /** Nobody is found by what was erased. */
  async #found<Row extends DeliveredLead>(row: Row, search: string): Promise<Opened<Row> | undefined> {
    const lead = await this.#opened(row);
    return lead.contact && mentions(lead.contact, search) ? lead : undefined;
  }

  async #mustExist(customerId: string): Promise<void> {
    if (!(await this.#queries.findCustomer(customerId))) throw notFound('customer', customerId);
  }
}
