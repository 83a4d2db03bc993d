import { z } from 'zod';
import { type Decider, type Decision, refuse, undecided } from '../kernel/decider.ts';
import { type EventsOf, fact, type Instant } from '../kernel/events.ts';
import { code, id, personKey } from '../kernel/fields.ts';
import { customerInName, ownerOrSupportWithoutReason, processOnly, type RightsOf } from '../kernel/rights.ts';
import { isSuppressed } from './person-claim.ts';
import { type Suppression, suppression } from './suppression.ts';

/**
 * The persons whose leads one customer got. It guards DLV-4 across all orders and lead types: a person is not added
 * again, neither through another lead with the same telephone number nor through one with the same e-mail address. The
 * keys stay after the person is erased.
 */
export const contactBookStream = (customerId: string) => `contacts-${customerId}` as const;

export const contactBookEvents = {
  ContactAdded: fact({
    leadId: id,
    orderId: id,
    telephoneKey: personKey.optional(),
    emailKey: personKey.optional(),
  }),
  ContactRemoved: fact({ leadId: id, orderId: id, reason: code }),
  ContactRated: fact({ leadId: id, rating: z.int().min(1).max(5) }),
  /** The person is not sold any more (DLV-12): the customer is told, or does not get the lead that was on its way. */
  ContactSuppressed: fact({
    leadId: id,
    orderId: id,
    suppression,
    isListed: z.boolean().describe('Whether the customer has the contact.'),
  }),
};
export type ContactBookEvent = EventsOf<typeof contactBookEvents>;

export type ContactBookCommand =
  | { type: 'AddContact'; at: Instant; leadId: string; orderId: string; telephoneKey?: string; emailKey?: string }
  | { type: 'RemoveContact'; at: Instant; leadId: string; orderId: string; reason: string }
  | { type: 'RateContact'; at: Instant; leadId: string; rating: number }
  | { type: 'SuppressContact'; at: Instant; leadId: string; orderId: string; suppression: Suppression };

/** Who may ask for which command. */
export const contactBookRights = {
  AddContact: processOnly,
  RemoveContact: processOnly,
  RateContact: ownerOrSupportWithoutReason(customerInName, 'RPL-1'),
  SuppressContact: processOnly,
} satisfies RightsOf<ContactBookCommand, ContactBookState>;

interface Contact {
  readonly orderId: string;
  readonly personKeys: readonly string[];
  rating?: number;
}

interface ContactBookState {
  readonly contacts: Map<string, Contact>;
  readonly personKeys: Set<string>;
  /** Leads of persons who are not sold any more. */
  readonly suppressed: Set<string>;
}

export const contactBook: Decider<ContactBookState, ContactBookCommand, ContactBookEvent> = {
  initialState: () => ({ contacts: new Map(), personKeys: new Set(), suppressed: new Set() }),

  decide(command, state): Decision<ContactBookEvent> {
    switch (command.type) {
      case 'AddContact':
        return add(command, state);
      case 'RemoveContact':
        return remove(command, state);
      case 'RateContact':
        return rate(command, state);
      case 'SuppressContact':
        return suppress(command, state);
      default:
        return undecided(command);
    }
  },

  evolve(state, event) {
    const { leadId } = event.data;
    const contact = state.contacts.get(leadId);
    switch (event.type) {
      case 'ContactAdded': {
        const personKeys = personKeysOf(event.data);
        state.contacts.set(leadId, { orderId: event.data.orderId, personKeys });
        for (const key of personKeys) state.personKeys.add(key);
        break;
      }
      case 'ContactRemoved':
        state.contacts.delete(leadId);
        for (const key of contact?.personKeys ?? []) state.personKeys.delete(key);
        break;
      case 'ContactRated':
        if (contact) contact.rating = event.data.rating;
        break;
      case 'ContactSuppressed':
        state.suppressed.add(leadId);
        break;
      default:
        event satisfies never;
    }
    return state;
  },
};

type Command<Type extends ContactBookCommand['type']> = Extract<ContactBookCommand, { type: Type }>;

function add(command: Command<'AddContact'>, state: ContactBookState): Decision<ContactBookEvent> {
  const { contacts, personKeys, suppressed } = state;
  const { type: _, ...data } = command;
  const contact = contacts.get(data.leadId);
  if (contact?.orderId === data.orderId) return [];
  if (suppressed.has(data.leadId)) return isSuppressed;
  if (contact || personKeysOf(data).some((key) => personKeys.has(key)))
    return refuse('person-given-before', 'the customer already has this person', 'DLV-4');
  return [{ type: 'ContactAdded', data }];
}

function remove(command: Command<'RemoveContact'>, { contacts }: ContactBookState): Decision<ContactBookEvent> {
  const { type: _, ...data } = command;
  return contacts.get(data.leadId)?.orderId === data.orderId ? [{ type: 'ContactRemoved', data }] : [];
}

function rate(command: Command<'RateContact'>, { contacts }: ContactBookState): Decision<ContactBookEvent> {
  const { type: _, ...data } = command;
  const contact = contacts.get(data.leadId);
  if (!contact) return refuse('contact-unknown', 'the customer has no such contact', 'RPL-1');
  return contact.rating === data.rating ? [] : [{ type: 'ContactRated', data }];
}

function suppress(command: Command<'SuppressContact'>, state: ContactBookState): Decision<ContactBookEvent> {
  const { contacts, suppressed } = state;
  const { type: _, ...data } = command;
  if (suppressed.has(data.leadId)) return [];
  const isListed = contacts.has(data.leadId);
  return [{ type: 'ContactSuppressed', data: { ...data, isListed } }];
}

/** Telephone and e-mail keys never collide: each is hashed with its kind. */
const personKeysOf = ({
  telephoneKey,
  emailKey,
}: {
  telephoneKey?: string | undefined;
  emailKey?: string | undefined;
}) => [telephoneKey, emailKey].filter((key) => key !== undefined);
