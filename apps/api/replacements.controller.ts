import { Body, Controller, Get, Inject, Post, Query, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { replacementStream } from '#domain/replacements/replacement';
import type { EventStore } from '#event-store/port';
import type { ReplacementRow } from '#read-models/queries';
import type { ReadModels } from '#read-models/read-models';
import type { Vault } from '#vault/vault';
import { type Answer, type Caller, Requests } from '#wiring/requests';
import { EVENT_STORE, READ_MODELS, VAULT } from '#wiring/tokens';
import { CommandRoute, etagOf, Problems } from './answers.ts';
import { Asking } from './caller.ts';
import { exampleIds } from './examples.ts';
import { FieldNames, Id, Line, OneOf, Sort, Text } from './fields.ts';
import { HistoryQuery, HistoryRoute, historyOf } from './history.ts';
import { IdOf, notFound } from './ids.ts';
import { listOf, PageQuery, pageRequest, ReadQuery, ReadRoute } from './reads.ts';
import { named } from './schemas.ts';

class RequestReplacementBody {
  @Id({ description: 'The order to which the lead was delivered.', example: exampleIds.orderId })
  orderId!: string;

  @Id({ description: 'The bad lead.', example: exampleIds.leadId })
  leadId!: string;

  @Line({ description: 'one of the reasons that the policy lists (RPL-3, RPL-4)', example: 'telephone disconnected' })
  reason!: string;

  @Text({ description: 'what happened, for whoever verifies it', example: 'Dead line, tried twice.', optional: true })
  note?: string;
}

class DenyReplacementBody {
  @Text({ description: 'why, for the customer (RPL-7)', example: 'The number works: we reached the person today.' })
  explanation!: string;
}

const statuses = ['requested', 'granted', 'denied', 'replaced'] as const;

type Opened = Omit<ReplacementRow, 'note'> & { readonly note: string | null };

const replacement = z.object({
  replacementId: z.string(),
  orderId: z.string(),
  leadId: z.string(),
  leadTypeId: z.string(),
  customerId: z.string(),
  storeId: z.string(),
  status: z.enum(statuses),
  reason: z.string(),
  note: z.string().nullable().describe('null when there was none, or once the person was erased'),
  deliveredAt: z.string(),
  requestedAt: z.string(),
  verifyBy: z.string().describe('until when it is to be verified (RPL-5)'),
  overdue: z.boolean(),
  decidedAt: z.string().nullable(),
  explanation: z.string().nullable().describe('why it was denied (RPL-7)'),
  replacementLeadId: z.string().nullable(),
  replacedAt: z.string().nullable(),
  policyVersion: z.int(),
  revision: z.int(),
}) satisfies z.ZodType<Opened>;

const replacementExample: Opened = {
  replacementId: '94c43410-7927-59a0-9dec-d32c5d2a8aeb',
  orderId: '3b1c6f0e-6a55-5d0b-8a35-2f3d3b7a9c11',
  leadId: '0b8f6f0c-1c57-5a6e-9a51-7d0a4c1f2e33',
  leadTypeId: 'exclusive-real-time',
  customerId: '8f14e45f-ceea-5b3c-9f2d-6c1d7a3e4b10',
  storeId: 'main',
  status: 'requested',
  reason: 'telephone disconnected',
  note: 'Dead line, tried twice.',
  deliveredAt: '2026-03-01T09:30:00.000Z',
  requestedAt: '2026-03-02T11:00:00.000Z',
  verifyBy: '2026-03-09T11:00:00.000Z',
  overdue: false,
  decidedAt: null,
  explanation: null,
  replacementLeadId: null,
  replacedAt: null,
  policyVersion: 1,
  revision: 0,
};

class ReplacementsQuery extends PageQuery {
  @OneOf(statuses, { description: 'requested: the queue to be verified', example: 'requested', optional: true })
  status?: ReplacementRow['status'];

  @Id({ description: 'returns at this store only', example: 'main', optional: true })
  storeId?: string;

  @Id({ description: 'returns of this customer only', optional: true })
  customerId?: string;

  @Sort('verifyBy', 'verifyBy')
  sort?: string;

  @FieldNames(replacement)
  fields?: string;
}

@ApiTags('replacements')
@Controller('api/replacements')
export class ReplacementsController {
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

  @Get()
  @ReadRoute({
    summary: 'Returns by due date, the earliest first (RPL-5)',
    answer: listOf('Replacement', replacement),
    example: { items: [replacementExample] },
  })
  async listReplacements(@Query() query: ReplacementsQuery) {
    const page = await this.#queries.listReplacements(pageRequest(query));
    return { ...page, items: await Promise.all(page.items.map((row) => this.#opened(row))) };
  }

  @Get(':replacementId')
  @ReadRoute({
    summary: 'A return; its revision is the ETag',
    answer: named('Replacement', replacement),
    example: replacementExample,
  })
  async getReplacement(
    @IdOf('replacement') replacementId: string,
    @Query() _: ReadQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const found = await this.#queries.findReplacement(replacementId);
    if (!found) throw notFound('replacement', replacementId);
    reply.header('etag', etagOf(found.revision));
    return this.#opened(found);
  }

  @Get(':replacementId/history')
  @HistoryRoute('All that happened to a replacement, up to any instant, and the state that it led to (RPL-8)')
  async getReplacementHistory(@IdOf('replacement') replacementId: string, @Query() { at }: HistoryQuery) {
    const found = await historyOf(this.#stores, replacementStream(replacementId), at);
    if (!found) throw notFound('replacement', replacementId);
    return found;
  }

  @Post()
  @CommandRoute({
    summary: 'Return a bad lead (RPL-1); one with an invalid reason, or too late, is denied at once (RPL-8)',
    answers: 'replacementId',
    records: ['ReplacementRequested'],
    creates: '/api/replacements/:id',
  })
  requestReplacement(@Body() body: RequestReplacementBody, @Asking() caller: Caller): Promise<Answer> {
    return this.#requests.requestReplacement(body, caller);
  }

  @Post(':replacementId/grant')
  @CommandRoute({
    summary: 'Grant a return (RPL-6): support only, with a Leadger-Reason',
    answers: 'replacementId',
    records: ['ChargebackGranted'],
    takesNothing: true,
  })
  @Problems(403)
  grantReplacement(@IdOf('replacement') replacementId: string, @Asking() caller: Caller): Promise<Answer> {
    return this.#requests.grantChargeback(replacementId, caller);
  }

  @Post(':replacementId/deny')
  @CommandRoute({
    summary: 'Deny a return (RPL-7): support only, with a Leadger-Reason',
    answers: 'replacementId',
    records: ['ChargebackDenied'],
  })
  @Problems(403)
  denyReplacement(
    @IdOf('replacement') replacementId: string,
    @Body() { explanation }: DenyReplacementBody,
    @Asking() caller: Caller,
  ): Promise<Answer> {
    return this.#requests.denyChargeback(replacementId, explanation, caller);
  }

  async #opened(row: ReplacementRow): Promise<Opened> {
    return { ...row, note: ((row.note && (await this.#stores.vault.open(row.note))) as string | undefined) ?? null };
  }
}
