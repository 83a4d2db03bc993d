import { idOf } from '#domain/codec';
import type { Sealed } from '#domain/kernel/events';
import { type Model, table } from '../engine/model.ts';

export interface TicketRow {
  readonly ticketId: string;
  readonly customerId: string;
  readonly storeId: string;
  /** Open: it waits for an answer. */
  readonly status: 'open' | 'answered' | 'closed';
  /** Sealed. */
  readonly subject: Sealed;
  /** What customer and support wrote, oldest first. */
  readonly messages: readonly TicketMessage[];
  /** Sealed. Null when nobody is to be called back. */
  readonly callBackTelephone: Sealed | null;
  readonly openedAt: string;
  /** Until when it is, or was, to be answered (SUP-1). */
  readonly dueAt: string;
  readonly overdue: boolean;
  readonly answeredAt: string | null;
  readonly closedAt: string | null;
  readonly policyVersion: number;
  readonly revision: number;
}

export interface TicketMessage {
  readonly at: string;
  /** The actor. */
  readonly by: string;
  readonly text: Sealed;
}

export const ticketTable = table<TicketRow>({
  name: 'tickets',
  key: 'ticketId',
  columns: {
    ticketId: 'text',
    customerId: 'text',
    storeId: 'text',
    status: 'text',
    subject: 'jsonb',
    messages: 'jsonb',
    callBackTelephone: 'jsonb',
    openedAt: 'timestamptz',
    dueAt: 'timestamptz',
    overdue: 'boolean',
    answeredAt: 'timestamptz',
    closedAt: 'timestamptz',
    policyVersion: 'integer',
    revision: 'integer',
  },
  indexes: ['due_at, ticket_id', 'status, due_at, ticket_id', 'customer_id, due_at, ticket_id'],
});

const eventTypes = [
  'TicketOpened',
  'TicketAnswered',
  'TicketOverdue',
  'TicketAddedTo',
  'TicketReopened',
  'TicketClosed',
] as const;
type TicketFacts = Model<(typeof eventTypes)[number]>;
type TicketFact = Parameters<TicketFacts['evolve']>[1];

/** What customers wrote to support, as a queue by due date. */
export const tickets: TicketFacts = {
  name: 'tickets',
  version: 1,
  tables: [ticketTable],
  eventTypes,
  keysOf: ({ stream }) => [[ticketTable, idOf(stream)]],

  evolve(rows, fact) {
    const ticketId = idOf(fact.stream);
    const before = fact.type === 'TicketOpened' ? opened(ticketId, fact.data) : rows.get(ticketTable, ticketId);
    if (!before) throw new Error(`${fact.type} of a ticket that was never opened`);
    const { revision, data, cause } = fact;
    const text = textOf(fact);
    const messages = text ? [...before.messages, { at: data.at, by: cause.actor, text }] : before.messages;
    rows.put(ticketTable, { ...before, ...changeBy(fact), messages, revision });
  },
};

function opened(ticketId: string, data: Extract<TicketFact, { type: 'TicketOpened' }>['data']): TicketRow {
  const { at: openedAt, message: _, callBackTelephone = null, ...letter } = data;
  return {
    ticketId,
    ...letter,
    status: 'open',
    messages: [],
    callBackTelephone,
    openedAt,
    overdue: false,
    answeredAt: null,
    closedAt: null,
    revision: 0,
  };
}

function textOf({ type, data }: TicketFact): Sealed | undefined {
  if (type === 'TicketAnswered') return data.answer;
  return type === 'TicketOverdue' || type === 'TicketClosed' ? undefined : data.message;
}

function changeBy({ type, data }: TicketFact): Partial<TicketRow> {
  switch (type) {
    case 'TicketOpened':
    case 'TicketAddedTo':
      return {};
    case 'TicketAnswered':
      return { status: 'answered', answeredAt: data.at };
    case 'TicketOverdue':
      return { overdue: true };
    case 'TicketReopened': {
      const { dueAt, policyVersion } = data;
      return { status: 'open', dueAt, policyVersion, overdue: false, answeredAt: null };
    }
    case 'TicketClosed':
      return { status: 'closed', closedAt: data.at };
  }
}
