import { Readable } from 'node:stream';
import { Body, Controller, Get, Inject, Put, Query, Res, UseGuards } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { csvLine } from '#apps/csv';
import { consent } from '#domain/leads/consent';
import { type Contact, contact } from '#domain/leads/contact';
import { consentExample, exampleIds } from '#read-models/models/examples';
import {
  deliveredLead,
  deliveredLeadListing,
  deliveredLeadWithReturnExample,
} from '#read-models/queries/delivered-leads';
import type { OpenedLead } from '#requests/delivered-leads';
import { consentColumns } from '#requests/lead-files/column-names';
import type { Queries } from '#requests/queries';
import { keyMissing } from '#requests/query-tools';
import type { Receipt, RequestContext } from '#requests/request-tools';
import type { Requests } from '#requests/requests';
import { QUERIES, REQUESTS } from '#wiring/tokens';
import { Asking } from './caller.ts';
import { etagOfPieces } from './conditional.ts';
import { Count, FieldNames, Id, Line, Sort } from './fields.ts';
import { IdOf, notFound } from './ids.ts';
import { LargeReads } from './quotas.ts';
import { type Reader, Reading } from './reading.ts';
import { FileRoute, listOf, PageQuery, pageRequest, ReadQuery, ReadRoute } from './reads.ts';
import { CommandRoute, Problems } from './responses.ts';

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
  .extend({
    contact: contact.nullable().describe('The person. Null once the person was erased.'),
    consent: consent
      .nullable()
      .describe('Evidence that the person agreed to be contacted (DLV-12). Null: there is none.'),
    keyMissing,
  })
  .meta({ id: 'DeliveredLead' });

const leadDetails = openedLead
  .extend({ revision: z.int().describe("Revision of the customer's contacts: the ETag, and what If-Match compares.") })
  .meta({ id: 'DeliveredLeadDetails' });

const openedLeadExample: z.infer<typeof openedLead> = {
  keyMissing: false,
  ...deliveredLeadWithReturnExample,
  contact: { firstName: 'Ada', lastName: 'Byron', telephone: '+1 212 555 0142', email: 'ada@example.com' },
  consent: consentExample,
};

/** Without it, spreadsheets read the file as Latin-1. */
const BYTE_ORDER_MARK = '\ufeff';

const contactColumns = Object.keys(contact.shape) as (keyof Contact)[];
const columns = [
  ...(['deliveredAt', 'leadTypeId', 'orderId', 'leadId'] as const),
  ...contactColumns,
  ...Object.keys(consentColumns),
  ...(['rating', 'replacementStatus', 'suppressedAt', 'damaged', 'keyMissing'] as const),
];

class DeliveredLeadsQuery extends PageQuery {
  @Id({ description: 'Leads of this order only.', optional: true })
  orderId?: string;

  @Id({ description: 'Leads delivered as this type only.', example: exampleIds.leadTypeId, optional: true })
  leadTypeId?: string;

  @Line(search)
  search?: string;

  @Sort(deliveredLeadListing)
  sort?: string;

  @FieldNames(openedLead)
  fields?: string;
}

@ApiTags('delivered leads')
@Controller('api/customers/:customerId')
export class DeliveredLeadsController {
  readonly #requests: Requests;
  readonly #queries: Queries;

  constructor(@Inject(REQUESTS) requests: Requests, @Inject(QUERIES) queries: Queries) {
    this.#requests = requests;
    this.#queries = queries;
  }

  @Get('leads')
  @ReadRoute({
    summary: 'Leads that were delivered to a customer, newest first (BCK-1); a search covers all of them (DLV-9)',
    answer: listOf(openedLead),
    example: { items: [openedLeadExample] },
  })
  async listDeliveredLeads(
    @IdOf('customer') customerId: string,
    @Query() query: DeliveredLeadsQuery,
    @Reading() reader: Reader,
  ) {
    const page = await this.#queries.deliveredLeads.list(reader, { ...pageRequest(query), customerId });
    if (!page) throw notFound('customer', customerId);
    return page;
  }

  @Get('leads/:leadId')
  @ReadRoute({
    summary: 'A delivered lead, as the Contact Manager shows it (BCK-1)',
    answer: leadDetails,
    example: { ...openedLeadExample, revision: 7 },
  })
  async getDeliveredLead(
    @IdOf('customer') customerId: string,
    @IdOf('lead') leadId: string,
    @Query() _: ReadQuery,
    @Reading() reader: Reader,
  ) {
    const found = await this.#queries.deliveredLeads.get(reader, { customerId, leadId });
    if (!found) throw notFound('lead', leadId);
    return found;
  }

  @Get('leads.csv')
  @UseGuards(LargeReads)
  @FileRoute({
    summary: 'The delivered leads as a file for spreadsheets (DLV-9)',
    description: 'CSV in UTF-8. A text that a spreadsheet would run as a formula begins with an apostrophe.',
    type: 'text/csv',
    example: csvLine(columns),
  })
  @Problems(429)
  async downloadDeliveredLeads(
    @IdOf('customer') customerId: string,
    @Query() { orderId, search }: DownloadQuery,
    @Reading() reader: Reader,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const csv = async () => {
      const leads = await this.#queries.deliveredLeads.download(reader, { customerId, orderId, search });
      if (!leads) throw notFound('customer', customerId);
      return csvOf(leads);
    };
    reply
      .type('text/csv; charset=utf-8')
      .header('content-disposition', `attachment; filename="leads-${customerId}.csv"`)
      .header('etag', await etagOfPieces(await csv()));
    return Readable.from(await csv());
  }

  @Put('leads/:leadId/rating')
  @CommandRoute({ summary: 'Rate a contact from 1 to 5 (RPL-1)', idName: 'leadId', records: ['ContactRated'] })
  rateContact(
    @IdOf('customer') customerId: string,
    @IdOf('lead') leadId: string,
    @Body() { rating }: RateContactBody,
    @Asking() context: RequestContext,
  ): Promise<Receipt> {
    return this.#requests.leads.rate(customerId, leadId, rating, context);
  }
}

async function* csvOf(leads: AsyncIterable<OpenedLead>): AsyncGenerator<string> {
  yield BYTE_ORDER_MARK + csvLine(columns);
  for await (const { contact: person, consent: given, keyMissing, damaged, ...lead } of leads) {
    const marks = { keyMissing: keyMissing ? 'yes' : undefined, damaged: damaged ? 'yes' : undefined };
    const extraFields = person?.extraFields && JSON.stringify(person.extraFields);
    const evidence = given && Object.entries(consentColumns).map(([column, field]) => [column, given[field]]);
    const cells: Record<string, unknown> = {
      ...lead,
      ...person,
      extraFields,
      ...Object.fromEntries(evidence ?? []),
      ...marks,
    };
    yield csvLine(columns.map((column) => (cells[column] ?? undefined) as string | number | undefined));
  }
}
