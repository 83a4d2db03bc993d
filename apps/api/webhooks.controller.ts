import { Controller, Get, Inject, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import type { WebhookRow } from '#read-models/queries';
import type { ReadModels } from '#read-models/read-models';
import { type Answer, type Caller, Requests } from '#wiring/requests';
import { READ_MODELS } from '#wiring/tokens';
import { CommandRoute } from './answers.ts';
import { Asking } from './caller.ts';
import { FieldNames, Id, OneOf, Sort } from './fields.ts';
import { IdOf, notFound } from './ids.ts';
import { listOf, PageQuery, pageRequest, ReadQuery, ReadRoute } from './reads.ts';
import { named } from './schemas.ts';

const statuses = ['waiting', 'accepted', 'parked'] as const;

const webhook = z.object({
  webhookId: z.string().describe('the same on every try: the header webhook-id'),
  customerId: z.string(),
  orderId: z.string(),
  leadId: z.string(),
  deliveredAt: z.string(),
  status: z.enum(statuses).describe('parked: it is not tried again by itself, but may be replayed'),
  attempts: z.int(),
  lastError: z.string().nullable(),
  retryAt: z.string().nullable(),
  acceptedAt: z.string().nullable(),
}) satisfies z.ZodType<WebhookRow>;

const webhookExample: WebhookRow = {
  webhookId: '4e2a7c10-9f0e-5c55-b7a6-2a8f5f3f0d21',
  customerId: '8f14e45f-ceea-5b3c-9f2d-6c1d7a3e4b10',
  orderId: '3b1c6f0e-6a55-5d0b-8a35-2f3d3b7a9c11',
  leadId: '0b8f6f0c-1c57-5a6e-9a51-7d0a4c1f2e33',
  deliveredAt: '2026-03-01T09:30:00.000Z',
  status: 'waiting',
  attempts: 1,
  lastError: 'it answered 503',
  retryAt: '2026-03-01T09:30:05.000Z',
  acceptedAt: null,
};

/** Leads on their way to customers' own programs (DLV-9). */
class WebhooksQuery extends PageQuery {
  @Id({ description: 'messages to the program of this customer only', optional: true })
  customerId?: string;

  @OneOf(statuses, { description: 'e.g. those that were laid aside', optional: true })
  status?: WebhookRow['status'];

  @Sort('deliveredAt', '-deliveredAt')
  sort?: string;

  @FieldNames(webhook)
  fields?: string;
}

@ApiTags('webhooks')
@Controller('api/webhooks')
export class WebhooksController {
  readonly #requests: Requests;
  readonly #queries: ReadModels['queries'];

  constructor(@Inject(Requests) requests: Requests, @Inject(READ_MODELS) { queries }: ReadModels) {
    this.#requests = requests;
    this.#queries = queries;
  }

  @Get()
  @ReadRoute({
    summary: "Leads on their way to customers' programs, newest first",
    answer: listOf('Webhook', webhook),
    example: { items: [webhookExample] },
  })
  listWebhooks(@Query() query: WebhooksQuery) {
    return this.#queries.listWebhooks({ ...query, ...pageRequest(query) });
  }

  @Get(':webhookId')
  @ReadRoute({ summary: 'One of them', answer: named('Webhook', webhook), example: webhookExample })
  async getWebhook(@IdOf('webhook') webhookId: string, @Query() _: ReadQuery) {
    const found = await this.#queries.findWebhook(webhookId);
    if (!found) throw notFound('webhook', webhookId);
    return found;
  }

  @Post(':webhookId/retry')
  @CommandRoute({
    summary: 'Send it again, from the first try on',
    answers: 'webhookId',
    records: ['WebhookReplayed'],
    takesNothing: true,
  })
  retryWebhook(@IdOf('webhook') webhookId: string, @Asking() caller: Caller): Promise<Answer> {
    return this.#requests.replayWebhook(webhookId, caller);
  }
}
