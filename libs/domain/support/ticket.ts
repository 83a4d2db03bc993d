import { z } from 'zod';
import { addBusinessHours } from '../kernel/business-hours.ts';
import { type Decider, type Decision, refuse, undecided } from '../kernel/decider.ts';
import { type EventsOf, fact, type Instant, instant, type Sealed } from '../kernel/events.ts';
import { id, sealedFor } from '../kernel/fields.ts';
import { customerInCommand, ownerOrSupport, processOnly, type RightsOf, support } from '../kernel/rights.ts';
import { customerErased } from '../persons/erasures.ts';
import type { PolicyDocument } from '../policy/policy.ts';

/** A customer's question to support, and the answers (SUP-1). */
export const ticketStream = (ticketId: string) => `ticket-${ticketId}` as const;

export const ticketEvents = {
  TicketOpened: fact({
    customerId: id,
    storeId: id,
    subject: sealedFor('customer', 'subject'),
    message: sealedFor('customer', 'message'),
    /** Present when the customer wants to be called back. */
    callBackTelephone: sealedFor('customer', 'telephone').optional(),
    dueAt: instant,
    policyVersion: z.int().positive(),
  }),
  TicketAnswered: fact({ customerId: id, answer: sealedFor('customer', 'answer') }),
  TicketOverdue: fact({ customerId: id, dueAt: instant }),
  TicketAddedTo: fact({ customerId: id, message: sealedFor('customer', 'message') }),
  TicketReopened: fact({
    customerId: id,
    message: sealedFor('customer', 'message'),
    dueAt: instant,
    policyVersion: z.int().positive(),
  }),
  /** `cause`: absent where somebody closed it. */
  TicketClosed: fact({ customerId: id, cause: z.literal(customerErased).optional() }),
};
export type TicketEvent = EventsOf<typeof ticketEvents>;

/** How soon an answer is due, by the policy in force when the customer writes. */
export type AnswerPolicy = { readonly policyVersion: number } & Readonly<
  Pick<PolicyDocument, 'ticketAnswerBusinessHours' | 'businessTimeZone' | 'holidays'>
>;

export type TicketCommand =
  | {
      type: 'OpenTicket';
      at: Instant;
      customerId: string;
      storeId: string;
      subject: Sealed;
      message: Sealed;
      callBackTelephone?: Sealed;
      answerPolicy: AnswerPolicy;
    }
  | { type: 'AnswerTicket'; at: Instant; answer: Sealed }
  | { type: 'WriteAgain'; at: Instant; message: Sealed; answerPolicy: AnswerPolicy }
  /** `cause`: where the store itself closes it. */
  | { type: 'CloseTicket'; at: Instant; cause?: typeof customerErased }
  | { type: 'RecordTicketOverdue'; at: Instant };

export const customerOfTicket = ({ status, customerId }: TicketState): string | undefined =>
  status === 'unknown' ? undefined : customerId;
const owner = ownerOrSupport<unknown, TicketState>(({ state }) => customerOfTicket(state), 'SUP-1');

/** Who may ask for which command. */
export const ticketRights = {
  OpenTicket: ownerOrSupport(customerInCommand, 'SUP-1'),
  AnswerTicket: support('SUP-2'),
  WriteAgain: owner,
  CloseTicket: owner,
  RecordTicketOverdue: processOnly,
} satisfies RightsOf<TicketCommand, TicketState>;

/** `open`: the ticket waits for an answer. */
export const ticketStatuses = ['open', 'answered', 'closed'] as const;
type TicketStatus = (typeof ticketStatuses)[number];

interface TicketState {
  readonly status: TicketStatus | 'unknown';
  readonly customerId: string;
  readonly dueAt: Instant;
  readonly overdue: boolean;
}

export const ticket: Decider<TicketState, TicketCommand, TicketEvent> = {
  initialState: () => ({ status: 'unknown', customerId: '', dueAt: '', overdue: false }),

  decide(command, state): Decision<TicketEvent> {
    const { at } = command;
    const { status, customerId, dueAt } = state;
    if (command.type === 'OpenTicket') {
      const { type: _, answerPolicy, ...data } = command;
      return status === 'unknown' ? [{ type: 'TicketOpened', data: { ...data, ...dueBy(answerPolicy, at) } }] : [];
    }
    if (status === 'unknown') return unknownTicket;

    switch (command.type) {
      case 'AnswerTicket':
        if (status === 'closed') return isClosed;
        if (status === 'answered')
          return refuse('ticket-answered', 'the ticket is answered, and the customer has not written since', 'SUP-1');
        return [{ type: 'TicketAnswered', data: { at, customerId, answer: command.answer } }];
      case 'WriteAgain': {
        const { message, answerPolicy } = command;
        if (status === 'closed') return isClosed;
        if (status === 'open') return [{ type: 'TicketAddedTo', data: { at, customerId, message } }];
        return [{ type: 'TicketReopened', data: { at, customerId, message, ...dueBy(answerPolicy, at) } }];
      }
      case 'CloseTicket':
        return status === 'closed' ? [] : [closed(command, customerId)];
      case 'RecordTicketOverdue':
        if (status !== 'open' || state.overdue || at < dueAt) return [];
        return [{ type: 'TicketOverdue', data: { at, customerId, dueAt } }];
      default:
        return undecided(command);
    }
  },

  evolve(state, event): TicketState {
    switch (event.type) {
      case 'TicketOpened': {
        const { customerId, dueAt } = event.data;
        return { status: 'open', customerId, dueAt, overdue: false };
      }
      case 'TicketReopened':
        return { ...state, status: 'open', dueAt: event.data.dueAt, overdue: false };
      case 'TicketAnswered':
        return { ...state, status: 'answered' };
      case 'TicketOverdue':
        return { ...state, overdue: true };
      case 'TicketAddedTo':
        return state;
      case 'TicketClosed':
        return { ...state, status: 'closed' };
    }
  },
};

const closed = ({ at, cause }: Extract<TicketCommand, { type: 'CloseTicket' }>, customerId: string): TicketEvent => ({
  type: 'TicketClosed',
  data: { at, customerId, ...(cause && { cause }) },
});

export const unknownTicket = refuse('ticket-unknown', 'there is no such ticket');
const isClosed = refuse('ticket-closed', 'the ticket is closed: open a new one', 'SUP-1');

const dueBy = (
  { policyVersion, ticketAnswerBusinessHours, businessTimeZone: timeZone, holidays }: AnswerPolicy,
  at: Instant,
) => ({ dueAt: addBusinessHours(at, ticketAnswerBusinessHours, { timeZone, holidays }), policyVersion });
