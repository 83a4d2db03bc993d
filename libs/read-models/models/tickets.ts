import { z } from 'zod';
import { type FactOf, idOf } from '#domain/codec';
import { type Sealed, sealed } from '#domain/kernel/events';
import { asideReasons, ticketStatuses } from '#domain/support/ticket';
import { column } from '../engine/columns.ts';
import { modelOfStreams, type RowOfStream, table } from '../engine/model.ts';
import { exampleBox, exampleIds } from './examples.ts';

export const ticketMessage = z.object({
  at: column.instant().describe('When it was written.'),
  actor: column
    .text()
    .describe(
      'Who wrote it: `customer:ID`, `staff:ID`, or `system:mailbox` for a mail, whose sender nobody has proved.',
    ),
  text: sealed.describe('What was written.'),
});

export const ticketRow = z.object({
  ticketId: column.id().describe('Id of the ticket.'),
  customerId: column
    .id()
    .describe('Customer who wrote. Of a writer without an account, an id that is made from the address.'),
  storeId: column.id().describe('Store whose customer it is.'),
  status: column
    .oneOf(ticketStatuses)
    .describe(
      'State of the ticket; `open`: it waits for an answer; `set-aside`: a mail that is a ticket only if support takes it up.',
    ),
  setAside: column
    .oneOf(asideReasons)
    .nullable()
    .describe('Why the mail was set aside when it came. Null: it was not.'),
  subject: column.json(sealed).describe('What the ticket is about.'),
  messages: column.json(z.array(ticketMessage)).describe('What customer and support wrote, oldest first.'),
  callBackTelephone: column
    .json(sealed)
    .nullable()
    .describe('Telephone number to call back. Null: the customer did not ask for a call.'),
  answerTo: column
    .json(sealed)
    .nullable()
    .describe('Address of a writer without an account. Null: the customer has one.'),
  openedAt: column.instant().describe('When it was opened, or its mail was set aside.'),
  dueAt: column
    .instant()
    .describe('When an answer is, or was, due (SUP-1). Of a mail that is set aside: when it came.'),
  overdue: column.flag().describe('Whether that time passed without an answer.'),
  answeredAt: column.instant().nullable().describe('When it was answered last. Null: it waits for an answer.'),
  closedAt: column.instant().nullable().describe('When it was closed. Null: it is not closed.'),
  policyVersion: column
    .count()
    .nullable()
    .describe('Version of the policy that set the due date. Null: of a mail that is set aside, none did.'),
  revision: column.revision(),
});
export type TicketRow = z.infer<typeof ticketRow>;

export const ticketExample: TicketRow = {
  ticketId: exampleIds.ticketId,
  customerId: exampleIds.customerId,
  storeId: exampleIds.storeId,
  status: 'open',
  setAside: null,
  subject: exampleBox,
  messages: [{ at: '2026-06-12T16:00:00.000Z', actor: `customer:${exampleIds.customerId}`, text: exampleBox }],
  callBackTelephone: exampleBox,
  answerTo: null,
  openedAt: '2026-06-12T16:00:00.000Z',
  dueAt: '2026-06-16T16:00:00.000Z',
  overdue: false,
  answeredAt: null,
  closedAt: null,
  policyVersion: 1,
  revision: 0,
};

export const ticketTable = table(ticketRow, {
  name: 'tickets',
  key: 'ticketId',
  family: 'ticket',
  belongsTo: { customer: 'customerId', store: 'storeId' },
  indexes: ['due_at, ticket_id', 'status, due_at, ticket_id', 'customer_id, due_at, ticket_id'],
});

type Ticket = RowOfStream<TicketRow>;

/** What customers wrote to support, as a queue by due date. */
export const tickets = modelOfStreams({
  name: 'tickets',
  table: ticketTable,
  never: 'a ticket that was never opened',
  on: {
    LetterSetAside(ticket, fact) {
      const { reason: setAside, message, at } = fact.data;
      ticket.create({ ...begun(fact), ...{ status: 'set-aside', setAside, dueAt: at } });
      addMessage(ticket, fact, message);
    },
    TicketOpened(ticket, fact) {
      const { at, dueAt, policyVersion, message, callBackTelephone = null } = fact.data;
      const isTakenUp = ticket.before !== undefined;
      if (!isTakenUp) ticket.create({ ...begun(fact), callBackTelephone });
      ticket.set({ status: 'open', openedAt: at, dueAt, policyVersion });
      if (!isTakenUp) addMessage(ticket, fact, message);
    },
    TicketAddedTo: (ticket, fact) => addMessage(ticket, fact, fact.data.message),
    TicketAnswered(ticket, fact) {
      addMessage(ticket, fact, fact.data.answer);
      ticket.set({ status: 'answered', answeredAt: fact.data.at });
    },
    TicketReopened(ticket, fact) {
      const { message, dueAt, policyVersion } = fact.data;
      addMessage(ticket, fact, message);
      ticket.set({ status: 'open', dueAt, policyVersion, overdue: false, answeredAt: null });
    },
    TicketOverdue: (ticket) => ticket.set({ overdue: true }),
    TicketClosed: (ticket, { data }) => ticket.set({ status: 'closed', closedAt: data.at }),
  },
});

type Written = FactOf<'LetterSetAside' | 'TicketOpened' | 'TicketAddedTo' | 'TicketAnswered' | 'TicketReopened'>;

const addMessage = (ticket: Ticket, { data, cause }: Written, text: Sealed): void =>
  ticket.set({ messages: [...ticket.now.messages, { at: data.at, actor: cause.actor, text }] });

const begun = ({ stream, revision, data }: FactOf<'LetterSetAside' | 'TicketOpened'>): TicketRow => ({
  ticketId: idOf(stream),
  customerId: data.customerId,
  storeId: data.storeId,
  status: 'open',
  setAside: null,
  subject: data.subject,
  messages: [],
  callBackTelephone: null,
  answerTo: data.answerTo ?? null,
  openedAt: data.at,
  dueAt: data.at,
  overdue: false,
  answeredAt: null,
  closedAt: null,
  policyVersion: null,
  revision,
});
