import { Readable } from 'node:stream';
import { Body, Controller, Get, HttpCode, Inject, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Instant } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import { type Contact, contact } from '#domain/leads/contact';
import { leadStream } from '#domain/leads/lead';
import type { EventStore } from '#event-store/port';
import type { LeadRow, StockAndDemand } from '#read-models/queries';
import type { ReadModels } from '#read-models/read-models';
import type { Vault } from '#vault/vault';
import { LeadFileError, readLeadRows } from '#wiring/lead-rows';
import { type Answer, type Caller, Requests } from '#wiring/requests';
import { EVENT_STORE, READ_MODELS, VAULT } from '#wiring/tokens';
import { Answers, CommandRoute, etagOf, Problems } from './answers.ts';
import { Asking } from './caller.ts';
import { Conforming, Id, InstantField, Line, OneOf } from './fields.ts';
import { HistoryQuery, HistoryRoute, historyOf } from './history.ts';
import { IdOf, notFound } from './ids.ts';
import { batchReport, formatOf, receiveBatch } from './lead-batch.ts';
import { Problem } from './problems.ts';
import { listOf, ReadQuery, ReadRoute } from './reads.ts';
import { named } from './schemas.ts';

class ReceiveLeadBody {
  @Id({ description: 'what it is sold as', example: 'exclusive-real-time' })
  leadTypeId!: string;

  @Line({ description: 'where it comes from', example: 'landing-page-7', maxLength: 100 })
  source!: string;

  @InstantField({
    description: 'when the person asked to be contacted',
    example: '2026-03-01T09:29:58Z',
    optional: true,
  })
  capturedAt?: Instant;

  @Conforming(contact, {
    description: 'the person, with a telephone number or an e-mail address at least; sealed before it is stored',
    example: { firstName: 'Ada', lastName: 'Byron', telephone: '+1 212 555 0142', email: 'ada@example.com' },
  })
  contact!: Contact;
}

class BatchQuery {
  @Id({ description: 'of rows that do not say', example: 'shared-fresh', optional: true })
  leadTypeId?: string;

  @Line({ description: 'of rows that do not say', example: 'fair-2026', maxLength: 100, optional: true })
  source?: string;

  @OneOf(['utf-8', 'latin1'], { description: 'how the file is written; utf-8 when absent', optional: true })
  encoding?: 'utf-8' | 'latin1';

  @OneOf(['ignore', 'refuse'], { description: 'CSV: what to do with columns that are none of ours', optional: true })
  unknownColumns?: 'ignore' | 'refuse';
}

type Opened = Omit<LeadRow, 'contact'> & { readonly contact: Contact | null };

const lead = z.object({
  leadId: z.string(),
  leadTypeId: z.string().describe('as what it is sold now: unsold leads age (DLV-6)'),
  receivedLeadTypeId: z.string().describe('as what it came in'),
  agedAt: z.string().nullable().describe('when it aged last'),
  source: z.string(),
  receivedAt: z.string(),
  capturedAt: z.string().nullable(),
  openPlaces: z.int().describe('to how many customers it can still be given'),
  withdrawn: z.boolean(),
  contact: contact.nullable().describe('null once the person was erased'),
  revision: z.int(),
}) satisfies z.ZodType<Opened>;

const leadExample: Opened = {
  leadId: '0b8f6f0c-1c57-5a6e-9a51-7d0a4c1f2e33',
  leadTypeId: 'exclusive-real-time',
  receivedLeadTypeId: 'exclusive-real-time',
  agedAt: null,
  source: 'landing-page-7',
  receivedAt: '2026-03-01T09:30:00.000Z',
  capturedAt: '2026-03-01T09:29:58.000Z',
  openPlaces: 0,
  withdrawn: false,
  contact: { firstName: 'Ada', lastName: 'Byron', telephone: '+1 212 555 0142', email: 'ada@example.com' },
  revision: 1,
};

const stock = z.object({
  leadTypeId: z.string(),
  leads: z.int().describe('leads that can be given to somebody'),
  openPlaces: z.int().describe('deliveries that they are good for'),
  openOrders: z.int().describe('orders that wait for leads of this type; paused ones do not'),
  outstandingLeads: z.int().describe('leads that they wait for'),
  replacementsOwed: z.int().describe('granted and not delivered yet, for whatever order (RPL-9)'),
}) satisfies z.ZodType<StockAndDemand>;

@ApiTags('leads')
@Controller('api')
export class LeadsController {
  readonly #requests: Requests;
  readonly #queries: ReadModels['queries'];
  readonly #stores: { events: EventStore; vault: Vault };

  constructor(
    @Inject(Requests) requests: Requests,
    @Inject(READ_MODELS) { queries }: ReadModels,
    @Inject(EVENT_STORE) events: EventStore,
    @Inject(VAULT) vault: Vault,
  ) {
    this.#requests = requests;
    this.#queries = queries;
    this.#stores = { events, vault };
  }

  @Post('leads')
  @CommandRoute({
    summary: 'Take in one lead; it is offered at once (DLV-6)',
    answers: 'leadId',
    records: ['LeadReceived'],
    creates: '/api/leads/:id',
  })
  async receiveLead(@Body() body: ReceiveLeadBody, @Asking() caller: Caller): Promise<Answer> {
    // A key makes the lead; without one, the same capture of the same person is the same lead.
    const identity = caller.requestHash
      ? { leadId: deriveId('lead', caller.commandId) }
      : { occasion: caller.commandId };
    const [answer] = await this.#requests.receiveLeads([{ ...body, ...identity }], caller);
    return answer as Answer;
  }

  @Post('leads/batches')
  @HttpCode(200)
  @ApiOperation({ summary: 'Take in a file of leads of any length: CSV with a header, or one JSON object a line' })
  @ApiConsumes('text/csv', 'application/x-ndjson')
  @ApiBody({
    description: 'A wrong row costs no other row; the same file again changes nothing.',
    schema: { type: 'string', example: 'first name,telephone\r\nAda,+1 212 555 0142\r\n' },
  })
  @Answers(200, 'What became of the rows.', named('LeadBatchReport', batchReport), {
    received: 998,
    known: 1,
    rejected: 1,
    rejections: [{ line: 17, reason: 'telephone: not a telephone number' }],
    position: '0000000000001042',
  })
  @Problems(400, 415, 503, 507)
  async receiveLeadBatch(
    @Req() { body, headers }: FastifyRequest,
    @Query() { unknownColumns = 'refuse', ...options }: BatchQuery,
    @Asking() caller: Caller,
  ) {
    const format = formatOf(headers['content-type']);
    if (!format || !(body instanceof Readable))
      throw new Problem('unsupported-media-type', 'leads come as text/csv or application/x-ndjson');
    const ignoreUnknownColumns = unknownColumns === 'ignore';
    const rows = readLeadRows(body, { format, ignoreUnknownColumns, ...options });
    try {
      return await receiveBatch(this.#requests, rows, caller);
    } catch (error) {
      if (error instanceof LeadFileError) throw new Problem('not-a-file-of-leads', error.message);
      throw error;
    }
  }

  @Get('leads/:leadId')
  @ReadRoute({ summary: 'A lead; its revision is the ETag', answer: named('Lead', lead), example: leadExample })
  async getLead(@IdOf('lead') leadId: string, @Query() _: ReadQuery, @Res({ passthrough: true }) reply: FastifyReply) {
    const found = await this.#queries.findLead(leadId);
    if (!found) throw notFound('lead', leadId);
    reply.header('etag', etagOf(found.revision));
    const person = (await this.#stores.vault.open(found.contact)) as Contact | undefined;
    return { ...found, contact: person ?? null };
  }

  @Get('stock')
  @ReadRoute({
    summary: 'What is in stock and what is wanted, by lead type',
    answer: listOf('Stock', stock),
    example: {
      items: [
        {
          leadTypeId: 'shared-fresh',
          leads: 40,
          openPlaces: 95,
          openOrders: 2,
          outstandingLeads: 30,
          replacementsOwed: 1,
        },
      ],
    },
  })
  async listStock(@Query() _: ReadQuery) {
    return { items: await this.#queries.stock() };
  }

  @Get('leads/:leadId/history')
  @HistoryRoute('All that happened to a lead, up to any instant, and the state that it led to')
  async getLeadHistory(@IdOf('lead') leadId: string, @Query() { at }: HistoryQuery) {
    const found = await historyOf(this.#stores, leadStream(leadId), at);
    if (!found) throw notFound('lead', leadId);
    return found;
  }
}
