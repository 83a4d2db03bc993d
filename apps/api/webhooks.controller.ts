import { Controller, Get, Inject, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { webhookStatuses } from '#domain/notifications/webhook';
import { type WebhookRow, webhookExample, webhookRow } from '#read-models/models/webhooks';
import { damaged } from '#read-models/queries/damaged';
import { webhookListing } from '#read-models/queries/support';
import type { Queries } from '#requests/queries';
import type { Receipt, RequestContext } from '#requests/request-tools';
import type { Requests } from '#requests/requests';
import { QUERIES, REQUESTS } from '#wiring/tokens';
import { Asking } from './caller.ts';
import { FieldNames, Id, OneOf, Sort } from './fields.ts';
import { IdOf, notFound } from './ids.ts';
import { type Reader, Reading } from './reading.ts';
import { listOf, PageQuery, pageRequest, ReadQuery, ReadRoute } from './reads.ts';
import { CommandRoute } from './responses.ts';

/** Marked when its streams are damaged. */
const webhook = webhookRow.extend({ damaged }).meta({ id: 'Webhook' });

const markedExample: z.infer<typeof webhook> = { ...webhookExample, damaged: false };

class WebhooksQuery extends PageQuery {
  @Id({ description: 'Messages to the program of this customer only.', optional: true })
  customerId?: string;

  @OneOf(webhookStatuses, {
    description: 'Messages in this state only, for example those that were parked.',
    optional: true,
  })
  status?: WebhookRow['status'];

  @Sort(webhookListing)
  sort?: string;

  @FieldNames(webhook)
  fields?: string;
}

@ApiTags('webhooks')
@Controller('api/webhooks')
export class WebhooksController {
  readonly #requests: Requests;
  readonly #queries: Queries;

  constructor(@Inject(REQUESTS) requests: Requests, @Inject(QUERIES) queries: Queries) {
    this.#requests = requests;
    this.#queries = queries;
  }

  @Get()
  @ReadRoute({
    summary: 'Messages that bring leads to programs of customers, newest first',
    answer: listOf(webhook),
    example: { items: [markedExample] },
  })
  listWebhooks(@Query() query: WebhooksQuery, @Reading() reader: Reader) {
    return this.#queries.webhooks.list(reader, pageRequest(query));
  }

  @Get(':webhookId')
  @ReadRoute({ summary: 'A message, and whether it was accepted', answer: webhook, example: markedExample })
  async getWebhook(@IdOf('webhook') webhookId: string, @Query() _: ReadQuery, @Reading() reader: Reader) {
    const found = await this.#queries.webhooks.get(reader, { webhookId });
    if (!found) throw notFound('webhook', webhookId);
    return found;
  }

  @Post(':webhookId/retry')
  @CommandRoute({
    summary: 'Send a message now, also one that waits for its next attempt, and with all its attempts again',
    idName: 'webhookId',
    records: ['WebhookReplayed'],
    takesNothing: true,
  })
  retryWebhook(@IdOf('webhook') webhookId: string, @Asking() context: RequestContext): Promise<Receipt> {
    return this.#requests.webhooks.replay(webhookId, context);
  }
}
