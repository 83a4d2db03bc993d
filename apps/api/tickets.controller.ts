import { Body, Controller, Get, Inject, Post, Query, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Sealed } from '#domain/kernel/events';
import { ticketStream } from '#domain/support/ticket';
import type { EventStore } from '#event-store/port';
import type { TicketRow } from '#read-models/queries';
import type { ReadModels } from '#read-models/read-models';
import type { Vault } from '#vault/vault';
import { type Answer, type Caller, Requests } from '#wiring/requests';
import type { Support } from '#wiring/support';
import { EVENT_STORE, READ_MODELS, VAULT } from '#wiring/tokens';
import { CommandRoute, etagOf, Problems } from './answers.ts';
import { Asking } from './caller.ts';
import { exampleIds } from './examples.ts';
import { FieldNames, Id, Line, Nested, OneOf, Sort, Telephone, Text } from './fields.ts';
import { HistoryQuery, HistoryRoute, historyOf } from './history.ts';
import { IdOf, notFound } from './ids.ts';
import { listOf, PageQuery, pageRequest, ReadQuery, ReadRoute } from './reads.ts';
import { named } from './schemas.ts';

class CallBack {
  @Telephone({ description: 'the number to call', example: '+1 212 555 0143' })
  telephone!: string;
}

class OpenTicketBody {
  @Id({ description: 'The customer who writes.', example: exampleIds.customerId })
  customerId!: string;

  @Line({ description: 'what it is about', example: 'No leads since Monday' })
  subject!: string;

  @Text({ description: 'what the customer writes', example: 'My order is open, but nothing comes.', maxLength: 10_000 })
  message!: string;

  @Nested(() => CallBack, {
    description: 'to be called back; only with the number',
    example: { telephone: '+1 212 555 0143' },
    optional: true,
  })
  callBack?: { telephone: string };
}

class AnswerTicketBody {
  @Text({ description: 'what support answers', example: 'Supply was scarce. It comes today.', maxLength: 10_000 })
  answer!: string;
}

class AddTicketMessageBody {
  @Text({ description: 'what the customer adds', example: 'Nothing came today either.', maxLength: 10_000 })
  message!: string;
}

const statuses = ['open', 'answered', 'closed'] as const;

const erasable = z.string().nullable().describe('null once the customer was erased');

const ticket = z.object({
  ticketId: z.string(),
  customerId: z.string(),
  storeId: z.string(),
  status: z.enum(statuses).describe('open: it waits for an answer'),
  subject: erasable,
  messages: z
    .array(z.object({ at: z.string(), by: z.string().describe('the actor'), text: erasable }))
    .describe('oldest first'),
  callBackTelephone: z.string().nullable().describe('null when nobody is to be called back, or once erased'),
  openedAt: z.string(),
  dueAt: z.string().describe('until when it is, or was, to be answered (SUP-1)'),
  overdue: z.boolean().describe('whether that time went by without an answer'),
  answeredAt: z.string().nullable(),
  closedAt: z.string().nullable(),
  policyVersion: z.int(),
  revision: z.int(),
});
type Opened = z.infer<typeof ticket>;

const ticketExample: Opened = {
  ticketId: exampleIds.ticketId,
  customerId: '8f14e45f-ceea-5b3c-9f2d-6c1d7a3e4b10',
  storeId: 'main',
  status: 'open',
  subject: 'No leads since Monday',
  messages: [
    {
      at: '2026-06-12T16:00:00.000Z',
      by: 'customer:8f14e45f-ceea-5b3c-9f2d-6c1d7a3e4b10',
      text: 'My order is open, but nothing comes.',
    },
  ],
  callBackTelephone: '+1 212 555 0143',
  openedAt: '2026-06-12T16:00:00.000Z',
  dueAt: '2026-06-16T16:00:00.000Z',
  overdue: false,
  answeredAt: null,
  closedAt: null,
  policyVersion: 1,
  revision: 0,
};

class TicketsQuery extends PageQuery {
  @OneOf(statuses, { description: 'open: the queue to be answered', example: 'open', optional: true })
  status?: TicketRow['status'];

  @Id({ description: 'tickets of customers of this store only', example: 'main', optional: true })
  storeId?: string;

  @Id({ description: 'tickets of this customer only', optional: true })
  customerId?: string;

  @Sort('dueAt', 'dueAt')
  sort?: string;

  @FieldNames(ticket)
  fields?: string;
}

@ApiTags('support')
@Controller('api/tickets')
export class TicketsController {
  readonly #support: Support;
  readonly #queries: ReadModels['queries'];
  readonly #stores: { events: EventStore; vault: Vault };

  constructor(
    @Inject(Requests) { support }: Requests,
    @Inject(READ_MODELS) { queries }: ReadModels,
    @Inject(EVENT_STORE) events: EventStore,
    @Inject(VAULT) vault: Vault,
  ) {
    this.#support = support;
    this.#queries = queries;
    this.#stores = { events, vault };
  }

  @Get()
  @ReadRoute({
    summary: 'Tickets by due date, the earliest first: what is overdue stands at the head (SUP-1)',
    answer: listOf('Ticket', ticket),
    example: { items: [ticketExample] },
  })
  async listTickets(@Query() query: TicketsQuery) {
    const page = await this.#queries.listTickets(pageRequest(query));
    return { ...page, items: await Promise.all(page.items.map((row) => this.#opened(row))) };
  }

  @Get(':ticketId')
  @ReadRoute({ summary: 'A ticket; its revision is the ETag', answer: named('Ticket', ticket), example: ticketExample })
  async getTicket(
    @IdOf('ticket') ticketId: string,
    @Query() _: ReadQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const found = await this.#queries.findTicket(ticketId);
    if (!found) throw notFound('ticket', ticketId);
    reply.header('etag', etagOf(found.revision));
    return this.#opened(found);
  }

  @Post()
  @CommandRoute({
    summary: 'Write to support (SUP-1), and be called back if wanted',
    answers: 'ticketId',
    records: ['TicketOpened'],
    creates: '/api/tickets/:id',
  })
  @Problems(403)
  openTicket(@Body() body: OpenTicketBody, @Asking() caller: Caller): Promise<Answer> {
    return this.#support.openTicket(body, caller);
  }

  @Post(':ticketId/answer')
  @CommandRoute({
    summary: 'Answer a ticket: support only, with a Leadger-Reason (SUP-2)',
    answers: 'ticketId',
    records: ['TicketAnswered'],
  })
  @Problems(403)
  answerTicket(
    @IdOf('ticket') ticketId: string,
    @Body() { answer }: AnswerTicketBody,
    @Asking() caller: Caller,
  ): Promise<Answer> {
    return this.#support.answerTicket(ticketId, answer, caller);
  }

  @Post(':ticketId/messages')
  @CommandRoute({
    summary: 'Write again: an answered ticket is open again, and due anew (SUP-1)',
    answers: 'ticketId',
    records: ['TicketReopened'],
  })
  @Problems(403)
  addTicketMessage(
    @IdOf('ticket') ticketId: string,
    @Body() { message }: AddTicketMessageBody,
    @Asking() caller: Caller,
  ): Promise<Answer> {
    return this.#support.writeAgain(ticketId, message, caller);
  }

  @Post(':ticketId/close')
  @CommandRoute({
    summary: 'Close a ticket: it waits for nothing more',
    answers: 'ticketId',
    records: ['TicketClosed'],
    takesNothing: true,
  })
  @Problems(403)
  closeTicket(@IdOf('ticket') ticketId: string, @Asking() caller: Caller): Promise<Answer> {
    return this.#support.closeTicket(ticketId, caller);
  }

  @Get(':ticketId/history')
  @HistoryRoute('All that happened to a ticket, up to any instant, and the state that it led to')
  async getTicketHistory(@IdOf('ticket') ticketId: string, @Query() { at }: HistoryQuery) {
    const found = await historyOf(this.#stores, ticketStream(ticketId), at);
    if (!found) throw notFound('ticket', ticketId);
    return found;
  }

  async #opened({ subject, messages, callBackTelephone, ...row }: TicketRow): Promise<Opened> {
    const open = async (box: Sealed | null) => ((box && (await this.#stores.vault.open(box))) ?? null) as string | null;
    return {
      ...row,
      subject: await open(subject),
      messages: await Promise.all(
        messages.map(async ({ text, ...message }) => ({ ...message, text: await open(text) })),
      ),
      callBackTelephone: await open(callBackTelephone),
    };
  }
}
