import { z } from 'zod';
import { addBusinessHours } from '../kernel/business-hours.ts';
import { type Decider, type Decision, refuse, undecided } from '../kernel/decider.ts';
import { count, type EventsOf, fact, type Instant, instant, type Sealed } from '../kernel/events.ts';
import { id, personKey, sealedFor } from '../kernel/fields.ts';
import { customerInCommand, ownerOrSupport, processOnly, type RightsOf, support } from '../kernel/rights.ts';
import { customerErased } from '../persons/erasures.ts';
import type { PolicyDocument } from '../policy/policy.ts';

/** A customer's question to support, and the answers (SUP-1). */
export const ticketStream = (ticketId: string) => `ticket-${ticketId}` as const;

/** What came with a message by mail. */
const letter = z.object({
  /** The mails before it and itself, so that the answer stands in their thread. */
  thread: sealedFor('customer', 'message-ids'),
  subject: sealedFor('customer', 'subject'),
  /** Files that were not taken. */
  attachmentsRefused: count,
});
type Letter = z.infer<typeof letter>;

const byMail = { letter: letter.optional() };

/** Why a mail waits beside the tickets until support looks at it (SUP-3). */
export const asideReasons = [
  'automatic',
  'spam',
  'own-mail',
  'too-many',
  'ticket-full',
  'no-store',
  'no-sender',
  'empty',
  'too-large',
  'unreadable',
] as const;
export type AsideReason = (typeof asideReasons)[number];

export const ticketEvents = {
  /** A mail that is no ticket unless support takes it up. `answerTo`: as in `TicketOpened`. */
  LetterSetAside: fact({
    customerId: id,
    storeId: id,
    reason: z.enum(asideReasons),
    subject: sealedFor('customer', 'subject'),
    message: sealedFor('customer', 'message'),
    answerTo: sealedFor('customer', 'email').optional(),
    noAddress: z.literal(true).optional().describe('The mail does not say who wrote it.'),
    letter,
  }),
  /** `answerTo`: of a writer without an account, whose `customerId` is made from this address. */
  TicketOpened: fact({
    customerId: id,
    storeId: id,
    subject: sealedFor('customer', 'subject'),
    message: sealedFor('customer', 'message'),
    /** Present when the customer wants to be called back. */
    callBackTelephone: sealedFor('customer', 'telephone').optional(),
    telephoneKey: personKey.optional().describe('By which the customer is found. Absent in tickets of older versions.'),
    dueAt: instant,
    policyVersion: z.int().positive(),
    answerTo: sealedFor('customer', 'email').optional(),
    ...byMail,
  }),
  /** `storeId`, `answerTo`: as in `TicketOpened`, of a writer without an account. `letter`: the last one that it answers. */
  TicketAnswered: fact({
    customerId: id,
    answer: sealedFor('customer', 'answer'),
    storeId: id.optional(),
    answerTo: sealedFor('customer', 'email').optional(),
    ...byMail,
  }),
  TicketOverdue: fact({ customerId: id, dueAt: instant }),
  TicketAddedTo: fact({ customerId: id, message: sealedFor('customer', 'message'), ...byMail }),
  TicketReopened: fact({
    customerId: id,
    message: sealedFor('customer', 'message'),
    dueAt: instant,
    policyVersion: z.int().positive(),
    ...byMail,
  }),
  /** `cause`: absent where somebody closed it. */
  TicketClosed: fact({ customerId: id, cause: z.literal(customerErased).optional() }),
};
export type TicketEvent = EventsOf<typeof ticketEvents>;

/** How soon an answer is due, by the policy in force when the customer writes. */
export type AnswerPolicy = { readonly policyVersion: number } & Readonly<
  Pick<PolicyDocument, 'ticketAnswerBusinessHours' | 'businessTimeZone' | 'holidays'>
>;

interface LetterAside {
  readonly customerId: string;
  readonly storeId: string;
  readonly subject: Sealed;
  readonly message: Sealed;
  readonly answerTo?: Sealed | undefined;
  readonly noAddress?: true | undefined;
  readonly letter: Letter;
}

export type TicketCommand =
  | {
      type: 'OpenTicket';
      at: Instant;
      customerId: string;
      storeId: string;
      subject: Sealed;
      message: Sealed;
      callBackTelephone?: Sealed;
      telephoneKey?: string;
      answerTo?: Sealed;
      letter?: Letter;
      answerPolicy: AnswerPolicy;
    }
  | ({ type: 'SetLetterAside'; at: Instant; reason: AsideReason } & LetterAside)
  | { type: 'TakeUpLetter'; at: Instant; answerPolicy: AnswerPolicy }
  | { type: 'AnswerTicket'; at: Instant; answer: Sealed }
  | { type: 'WriteAgain'; at: Instant; message: Sealed; letter?: Letter; answerPolicy: AnswerPolicy }
  /** `cause`: where the store itself closes it. */
  | { type: 'CloseTicket'; at: Instant; cause?: typeof customerErased }
  | { type: 'RecordTicketOverdue'; at: Instant };

export const customerOfTicket = ({ status, customerId }: TicketState): string | undefined =>
  status === 'unknown' ? undefined : customerId;
const owner = ownerOrSupport<unknown, TicketState>(({ state }) => customerOfTicket(state), 'SUP-1');

/** Who may ask for which command. */
export const ticketRights = {
  OpenTicket: ownerOrSupport(customerInCommand, 'SUP-1'),
  SetLetterAside: processOnly,
  TakeUpLetter: support('SUP-3'),
  AnswerTicket: support('SUP-2'),
  WriteAgain: owner,
  CloseTicket: owner,
  RecordTicketOverdue: processOnly,
} satisfies RightsOf<TicketCommand, TicketState>;

/** `open`: the ticket waits for an answer. `set-aside`: a mail that is a ticket only if support takes it up. */
export const ticketStatuses = ['open', 'answered', 'closed', 'set-aside'] as const;
type TicketStatus = (typeof ticketStatuses)[number];

interface TicketState {
  readonly status: TicketStatus | 'unknown';
  readonly customerId: string;
  readonly storeId: string;
  readonly dueAt: Instant;
  readonly overdue: boolean;
  /** Of a writer without an account: the store that was written to, and where the answer goes. */
  readonly stranger?: { readonly storeId: string; readonly answerTo: Sealed };
  /** The last one that is not answered. It counts the files of all of them. */
  readonly letter?: Letter | undefined;
  /** Messages that wait for an answer. */
  readonly waiting: number;
  /** Of a mail that is set aside. */
  readonly aside?: LetterAside;
}

export const ticket: Decider<TicketState, TicketCommand, TicketEvent> = {
  initialState: () => ({ status: 'unknown', customerId: '', storeId: '', dueAt: '', overdue: false, waiting: 0 }),

  decide(command, state): Decision<TicketEvent> {
    const { at } = command;
    const { status, customerId, dueAt } = state;
    if (command.type === 'OpenTicket') {
      const { type: _, answerPolicy, ...data } = command;
      return status === 'unknown' ? [{ type: 'TicketOpened', data: { ...data, ...dueBy(answerPolicy, at) } }] : [];
    }
    if (command.type === 'SetLetterAside') {
      const { type: _, ...data } = command;
      return status === 'unknown' ? [{ type: 'LetterSetAside', data }] : [];
    }
    if (status === 'unknown') return unknownTicket;

    switch (command.type) {
      case 'TakeUpLetter':
        return takenUp(command, state);
      case 'AnswerTicket':
        if (status === 'closed') return isClosed;
        if (status === 'set-aside') return isSetAside;
        if (status === 'answered')
          return refuse('ticket-answered', 'the ticket is answered, and the customer has not written since', 'SUP-1');
        return [{ type: 'TicketAnswered', data: { at, customerId, answer: command.answer, ...whereTo(state) } }];
      case 'WriteAgain': {
        const { message, letter, answerPolicy } = command;
        if (status === 'closed') return isClosed;
        if (status === 'set-aside') return isSetAside;
        if (letter && state.waiting >= MOST_WAITING) return isFull;
        const data = { at, customerId, message, ...(letter && { letter }) };
        if (status === 'open') return [{ type: 'TicketAddedTo', data }];
        return [{ type: 'TicketReopened', data: { ...data, ...dueBy(answerPolicy, at) } }];
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
      case 'LetterSetAside': {
        const { at: dueAt, reason: _, ...aside } = event.data;
        return {
          ...ticket.initialState(),
          status: 'set-aside',
          customerId: aside.customerId,
          storeId: aside.storeId,
          dueAt,
          aside,
        };
      }
      case 'TicketOpened': {
        const { customerId, storeId, dueAt, answerTo, letter } = event.data;
        const stranger = answerTo && { stranger: { storeId, answerTo } };
        return { status: 'open', customerId, storeId, dueAt, overdue: false, waiting: 1, ...stranger, letter };
      }
      case 'TicketReopened':
        return { ...state, status: 'open', dueAt: event.data.dueAt, overdue: false, ...added(state, event.data) };
      case 'TicketAnswered':
        return { ...state, status: 'answered', letter: undefined, waiting: 0 };
      case 'TicketOverdue':
        return { ...state, overdue: true };
      case 'TicketAddedTo':
        return { ...state, ...added(state, event.data) };
      case 'TicketClosed':
        return { ...state, status: 'closed' };
    }
  },
};

/** Of what is a ticket already, nothing is recorded. */
function takenUp(
  { at, answerPolicy }: Extract<TicketCommand, { type: 'TakeUpLetter' }>,
  { status, aside }: TicketState,
): Decision<TicketEvent> {
  if (status === 'closed') return isClosed;
  if (status !== 'set-aside' || !aside) return [];
  const { noAddress, ...letter } = aside;
  if (noAddress) return withoutAddress;
  return [{ type: 'TicketOpened', data: { at, ...letter, ...dueBy(answerPolicy, at) } }];
}

/** A program that writes by mail again and again fills no ticket. */
const MOST_WAITING = 50;

const whereTo = ({ stranger, letter }: TicketState) => ({ ...stranger, ...(letter && { letter }) });

function added({ letter: before, waiting }: TicketState, { letter }: { readonly letter?: Letter | undefined }) {
  const attachmentsRefused = (before?.attachmentsRefused ?? 0) + (letter?.attachmentsRefused ?? 0);
  const last = letter ?? before;
  return { waiting: waiting + 1, letter: last && { ...last, attachmentsRefused } };
}

const closed = ({ at, cause }: Extract<TicketCommand, { type: 'CloseTicket' }>, customerId: string): TicketEvent => ({
  type: 'TicketClosed',
  data: { at, customerId, ...(cause && { cause }) },
});

export const unknownTicket = refuse('ticket-unknown', 'there is no such ticket');
const isFull = refuse('ticket-full', 'so many messages wait for an answer already', 'SUP-3');
const isSetAside = refuse('ticket-set-aside', 'the mail is set aside: take it up first', 'SUP-3');
const withoutAddress = refuse('ticket-without-address', 'the mail has no address to which an answer could go', 'SUP-3');
const isClosed = refuse('ticket-closed', 'the ticket is closed: open a new one', 'SUP-1');

const dueBy = (
  { policyVersion, ticketAnswerBusinessHours, businessTimeZone: timeZone, holidays }: AnswerPolicy,
  at: Instant,
) => ({ dueAt: addBusinessHours(at, ticketAnswerBusinessHours, { timeZone, holidays }), policyVersion });
