import { Readable } from 'node:stream';
import { Body, Controller, Get, Inject, Post, Query, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Activities } from '#domain/kernel/activities';
import type { Instant } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import { type Consent, consent } from '#domain/leads/consent';
import { type Contact, contact } from '#domain/leads/contact';
import { type LeadEvent, matches } from '#domain/leads/lead';
import { consentExample, exampleIds } from '#read-models/models/examples';
import { leadExample, leadRow } from '#read-models/models/leads';
import { damaged } from '#read-models/queries/damaged';
import { leadTypeStock, leadTypeStockExample } from '#read-models/queries/leads';
import { leadVerdict, leadVerdictExample } from '#requests/lead-verdicts';
import type { Queries } from '#requests/queries';
import { keyMissing } from '#requests/query-tools';
import type { Receipt, RequestContext } from '#requests/request-tools';
import type { Requests } from '#requests/requests';
import { ACTIVITIES, QUERIES, REQUESTS } from '#wiring/tokens';
import { Asking } from './caller.ts';
import { Conforming, Id, InstantField, Line, OneOf, TimeZone } from './fields.ts';
import { FileQuery, fileOptions, notAFile } from './file-query.ts';
import { HistoryQuery, HistoryRoute } from './history.ts';
import { IdOf, notFound } from './ids.ts';
import { BatchRoute, endOfBatch, receiveBatch } from './lead-batch.ts';
import { type Reader, Reading } from './reading.ts';
import { listOf, ReadQuery, ReadRoute } from './reads.ts';
import { type AnsweredReceipt, CommandRoute, Problems } from './responses.ts';

class ReceiveLeadBody {
  @Id({ description: 'The lead type that the lead is sold as.', example: exampleIds.leadTypeId })
  leadTypeId!: string;

  @Line({
    description: 'The list, campaign or page that the lead comes from. It is stored plain: do not name a person in it.',
    example: 'landing-page-7',
  })
  source!: string;

  @InstantField({
    description:
      'When the person asked to be contacted; unknown when absent. Not after now, but for a tolerance of the policy (DLV-6).',
    example: '2026-03-01T09:29:58Z',
    optional: true,
  })
  capturedAt?: Instant;

  @Conforming(contact, {
    description: 'The person, with a telephone number or an e-mail address at least. It is sealed before it is stored.',
    example: { firstName: 'Ada', lastName: 'Byron', telephone: '+1 212 555 0142', email: 'ada@example.com' },
  })
  contact!: Contact;

  @Conforming(consent, {
    description: 'Evidence that the person agreed to be contacted (DLV-12). It is sealed before it is stored.',
    example: consentExample,
    optional: true,
  })
  consent?: Consent;
}

class BatchQuery extends FileQuery {
  @Id({ description: 'The lead type of rows without one.', example: exampleIds.leadTypeId, optional: true })
  leadTypeId?: string;

  @Line({ description: 'The source of rows without one.', example: 'fair-2026', optional: true })
  source?: string;

  @TimeZone({
    description:
      'The time zone of times of the file that have none, like 2026-11-28 10:00:00 and 11/28/2026 10:00 AM. When absent, a file with such times is refused.',
    optional: true,
  })
  timeZone?: string;

  @OneOf(['ignore', 'keep', 'refuse'], {
    description:
      'What to do with unknown columns of CSV: ignore them, keep them as extra fields of the contact, or refuse the file. When absent they are ignored in the exports of tools that we know, else the file is refused.',
    optional: true,
  })
  unknownColumns?: 'ignore' | 'keep' | 'refuse';
}

const duplicate = z
  .enum(matches)
  .optional()
  .describe('The store has this person already, and sells it once (DLV-11): what both records have in common.');

const known = z
  .literal(true)
  .optional()
  .describe(
    'The same record was received before (DLV-11): of the same type, source, telephone number and address, and captured at the same instant or, both without one, received within an hour. The answer names that lead.',
  );

/** Whoever brings leads is told which of them the store has already. */
function answered(receipt: Receipt): AnsweredReceipt {
  const { outcome } = receipt;
  if (outcome.kind !== 'accepted') return receipt;
  if (outcome.events.every(({ type }) => type === 'KnownReceived')) return { ...receipt, answer: { known: true } };
  const found = outcome.events.find(({ type }) => type === 'DuplicateReceived');
  if (!found) return receipt;
  const { match } = (found as Extract<LeadEvent, { type: 'DuplicateReceived' }>).data;
  return { ...receipt, answer: { duplicate: match } };
}

/** A lead with its contact opened. */
const lead = leadRow
  .extend({
    contact: contact.nullable().describe('The person. Null once the person was erased, and for a duplicate.'),
    consent: consent.nullable().describe('What the source gave as evidence. Null: nothing, or the person was erased.'),
    keyMissing,
    damaged,
  })
  .meta({ id: 'Lead' });

const openedExample: z.infer<typeof lead> = {
  keyMissing: false,
  damaged: false,
  ...leadExample,
  contact: { firstName: 'Ada', lastName: 'Byron', telephone: '+1 212 555 0142', email: 'ada@example.com' },
  consent: consentExample,
};

@ApiTags('leads')
@Controller('api')
export class LeadsController {
  readonly #requests: Requests;
  readonly #queries: Queries;
  readonly #activities: Activities;

  constructor(
    @Inject(REQUESTS) requests: Requests,
    @Inject(QUERIES) queries: Queries,
    @Inject(ACTIVITIES) activities: Activities,
  ) {
    this.#requests = requests;
    this.#queries = queries;
    this.#activities = activities;
  }

  @Post('leads')
  @CommandRoute({
    summary: 'Receive one lead; it is distributed at once (DLV-6), unless the store has the person already (DLV-11)',
    idName: 'leadId',
    records: ['LeadReceived'],
    adds: { duplicate, known },
    creates: '/api/leads/:id',
  })
  async receiveLead(@Body() body: ReceiveLeadBody, @Asking() context: RequestContext): Promise<AnsweredReceipt> {
    // A key identifies the request, so that a repeat gets the same answer for ever.
    const identity = context.requestHash ? { leadId: deriveId('lead', context.commandId) } : {};
    const [receipt] = await this.#requests.leads.receive([{ ...body, ...identity }], context);
    return answered(receipt as Receipt);
  }

  @Post('leads/batches')
  @BatchRoute('Receive a file of leads of any length: CSV with a header, or one JSON object a line')
  async receiveLeadBatch(
    @Req() { body, headers }: FastifyRequest,
    @Query() query: BatchQuery,
    @Asking() context: RequestContext,
  ) {
    if (!(body instanceof Readable)) throw notAFile();
    const options = fileOptions(headers['content-type'], query);
    const { commandId: id } = context;
    const about = { kind: 'import', name: options.format, id, correlationId: id, parent: context.parent } as const;
    return this.#activities.during(about, () => receiveBatch(this.#requests, body, options, context), endOfBatch);
  }

  @Get('leads/:leadId')
  @ReadRoute({ summary: 'A lead; its revision is the ETag', answer: lead, example: openedExample })
  async getLead(@IdOf('lead') leadId: string, @Query() _: ReadQuery, @Reading() reader: Reader) {
    const found = await this.#queries.leads.get(reader, { leadId });
    if (!found) throw notFound('lead', leadId);
    return found;
  }

  @Get('leads/:leadId/verdict')
  @ReadRoute({
    summary: 'What became of a lead, for the program that brought it',
    answer: leadVerdict,
    example: leadVerdictExample,
  })
  @Problems(403)
  async getLeadVerdict(@IdOf('lead') leadId: string, @Query() _: ReadQuery, @Reading() reader: Reader) {
    const found = await this.#queries.leads.verdict(reader, { leadId });
    if (!found) throw notFound('lead', leadId);
    return found;
  }

  @Get('stock')
  @ReadRoute({
    summary: 'Supply and demand by lead type: what is in stock, and what orders wait for',
    answer: listOf(leadTypeStock),
    example: { items: [leadTypeStockExample] },
  })
  async listStock(@Query() _: ReadQuery, @Reading() reader: Reader) {
    return { items: await this.#queries.leads.listStock(reader) };
  }

  @Get('leads/:leadId/history')
  @HistoryRoute('All that happened to a lead, up to any instant, and the state that it led to')
  async getLeadHistory(@IdOf('lead') leadId: string, @Query() { at }: HistoryQuery, @Reading() reader: Reader) {
    const found = await this.#queries.leads.history(reader, { leadId, at });
    if (!found) throw notFound('lead', leadId);
    return found;
  }
}
