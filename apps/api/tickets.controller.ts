import { Body, Controller, Get, Inject, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { ticketStatuses } from '#domain/support/ticket';
import { exampleIds } from '#read-models/models/examples';
import { type TicketRow, ticketExample, ticketMessage, ticketRow } from '#read-models/models/tickets';
import { damaged } from '#read-models/queries/damaged';
import { ticketListing } from '#read-models/queries/support';
import type { Queries } from '#requests/queries';
import { keyMissing } from '#requests/query-tools';
import type { Receipt, RequestContext } from '#requests/request-tools';
import type { Requests } from '#requests/requests';
import { QUERIES, REQUESTS } from '#wiring/tokens';
import { Asking } from './caller.ts';
import { FieldNames, Id, Line, Nested, OneOf, Sort, Telephone, Text } from './fields.ts';
import { HistoryQuery, HistoryRoute } from './history.ts';
import { IdOf, notFound } from './ids.ts';
import { type Reader, Reading } from './reading.ts';
import { listOf, PageQuery, pageRequest, ReadQuery, ReadRoute } from './reads.ts';
import { CommandRoute } from './responses.ts';

class CallBack {
  @Telephone({ description: 'The number to call.', example: '+1 212 555 0143' })
  telephone!: string;
}

class OpenTicketBody {
  @Id({ description: 'The customer who writes.', example: exampleIds.customerId })
  customerId!: string;

  @Line({ description: 'What the ticket is about.', example: 'No leads since Monday' })
  subject!: string;

  @Text({
    description: 'What the customer writes.',
    example: 'My order is open, but nothing comes.',
    maxLength: 10_000,
  })
  message!: string;

  @Nested(() => CallBack, {
    description: 'Asks to be called back at this number.',
    example: { telephone: '+1 212 555 0143' },
    optional: true,
  })
  callBack?: { telephone: string };
}

class AnswerTicketBody {
  @Text({ description: 'What support answers.', example: 'Supply was scarce. It comes today.', maxLength: 10_000 })
  answer!: string;
}

class AddTicketMessageBody {
  @Text({ description: 'What the customer adds.', example: 'Nothing came today either.', maxLength: 10_000 })
  message!: string;
}

/** A ticket with its sealed texts opened. */
const ticket = ticketRow
  .extend({
    subject: z.string().nullable().describe('What the ticket is about. Null once the customer was erased.'),
    messages: z
      .array(
        ticketMessage.extend({
          text: z.string().nullable().describe('What was written. Null once the customer was erased.'),
        }),
      )
      .describe('What customer and support wrote, oldest first.'),
    callBackTelephone: z
      .string()
      .nullable()
      .describe('Telephone number to call back. Null: the customer did not ask for a call, or was erased.'),
    answerTo: z
      .string()
      .nullable()
      .describe('Address of a writer without an account. Null: the customer has one, or was erased.'),
    keyMissing,
    damaged,
  })
  .meta({ id: 'Ticket' });
type OpenedTicket = z.infer<typeof ticket>;

const openedExample: OpenedTicket = {
  keyMissing: false,
  damaged: false,
  ...ticketExample,
  subject: 'No leads since Monday',
  messages: ticketExample.messages.map((message) => ({ ...message, text: 'My order is open, but nothing comes.' })),
  callBackTelephone: '+1 212 555 0143',
  answerTo: null,
};

class TicketsQuery extends PageQuery {
  @OneOf(ticketStatuses, {
    description:
      'Tickets in this state only; open: the queue of those to be answered; set-aside: mails that are listed only where they are asked for (SUP-3).',
    example: 'open',
    optional: true,
  })
  status?: TicketRow['status'];

  @Id({ description: 'Tickets of customers of this store only.', example: exampleIds.storeId, optional: true })
  storeId?: string;

  @Id({ description: 'Tickets of this customer only.', optional: true })
  customerId?: string;

  @Sort(ticketListing)
  sort?: string;

  @FieldNames(ticket)
  fields?: string;
}

@ApiTags('support')
@Controller('api/tickets')
export class TicketsController {
  readonly #support: Requests['support'];
  readonly #queries: Queries['support'];

  constructor(@Inject(REQUESTS) requests: Requests, @Inject(QUERIES) queries: Queries) {
    this.#support = requests.support;
    this.#queries = queries.support;
  }

  @Get()
  @ReadRoute({
    summary: 'Tickets by due date, the earliest first, so that overdue ones come first (SUP-1)',
    answer: listOf(ticket),
    example: { items: [openedExample] },
  })
  listTickets(@Query() query: TicketsQuery, @Reading() reader: Reader) {
    return this.#queries.listTickets(reader, pageRequest(query));
  }

  @Get(':ticketId')
  @ReadRoute({ summary: 'A ticket; its revision is the ETag', answer: ticket, example: openedExample })
  async getTicket(@IdOf('ticket') ticketId: string, @Query() _: ReadQuery, @Reading() reader: Reader) {
    const found = await this.#queries.getTicket(reader, { ticketId });
    if (!found) throw notFound('ticket', ticketId);
    return found;
  }

  @Post()
  @CommandRoute({
    summary: 'Write to support, and ask for a call if wanted (SUP-1)',
    idName: 'ticketId',
    records: ['TicketOpened'],
    creates: '/api/tickets/:id',
  })
  openTicket(@Body() body: OpenTicketBody, @Asking() context: RequestContext): Promise<Receipt> {
    return this.#support.openTicket(body, context);
  }

  @Post(':ticketId/answer')
  @CommandRoute({
    summary: 'Answer a ticket: support only, with a Leadger-Reason (SUP-2)',
    idName: 'ticketId',
    records: ['TicketAnswered'],
  })
  answerTicket(
    @IdOf('ticket') ticketId: string,
    @Body() { answer }: AnswerTicketBody,
    @Asking() context: RequestContext,
  ): Promise<Receipt> {
    return this.#support.answerTicket(ticketId, answer, context);
  }

  @Post(':ticketId/messages')
  @CommandRoute({
    summary: 'Write again: an answered ticket is reopened, with a new due date (SUP-1)',
    idName: 'ticketId',
    records: ['TicketReopened'],
  })
  addTicketMessage(
    @IdOf('ticket') ticketId: string,
    @Body() { message }: AddTicketMessageBody,
    @Asking() context: RequestContext,
  ): Promise<Receipt> {
    return this.#support.writeAgain(ticketId, message, context);
  }

  @Post(':ticketId/take-up')
  @CommandRoute({
    summary: 'Make a ticket of a mail that was set aside: support only, with a Leadger-Reason (SUP-3)',
    idName: 'ticketId',
    records: ['TicketOpened'],
    takesNothing: true,
  })
  takeUpLetter(@IdOf('ticket') ticketId: string, @Asking() context: RequestContext): Promise<Receipt> {
    return this.#support.takeUpLetter(ticketId, context);
  }

  @Post(':ticketId/close')
  @CommandRoute({
    summary: 'Close a ticket',
    idName: 'ticketId',
    records: ['TicketClosed'],
    takesNothing: true,
  })
  closeTicket(@IdOf('ticket') ticketId: string, @Asking() context: RequestContext): Promise<Receipt> {
    return this.#support.closeTicket(ticketId, context);
  }

  @Get(':ticketId/history')
  @HistoryRoute('All that happened to a ticket, up to any instant, and the state that it led to')
  async getTicketHistory(@IdOf('ticket') ticketId: string, @Query() { at }: HistoryQuery, @Reading() reader: Reader) {
    const found = await this.#queries.ticketHistory(reader, { ticketId, at });
    if (!found) throw notFound('ticket', ticketId);
    return found;
  }
}
