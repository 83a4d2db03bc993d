import { type FactOf, idOf } from '#domain/codec';
import { deriveId } from '#domain/kernel/ids';
import { contactBookStream } from '#domain/leads/contact-book';
import type { Suppression } from '#domain/leads/suppression';
import { type CommandWish, defineProcess, takeFrom } from './process.ts';

interface Told {
  readonly leadId: string;
  readonly orderId: string;
  readonly customerId: string;
  readonly suppression: Suppression;
  readonly because: FactOf<'LeadWithdrawn'>;
}

interface SuppressedBuyers {
  /** Customer and lead → what is to be noted in the contact book. */
  readonly open: Map<string, Told>;
}

const keyOf = (customerId: string, leadId: string): string => `${customerId} ${leadId}`;

/**
 * Notes in the contact books of the buyers of a lead that its person is not sold any more (DLV-12). That note causes a mail and a
 * message to the customer's program; and a delivery that was under way is refused.
 */
export const suppressedBuyers = defineProcess({
  name: 'suppressed-buyers',
  eventTypes: ['LeadWithdrawn', 'ContactSuppressed'],
  initialState: (): SuppressedBuyers => ({ open: new Map() }),

  evolve({ open }, fact) {
    if (fact.type === 'ContactSuppressed') open.delete(keyOf(idOf(fact.stream), fact.data.leadId));
    else noteWithdrawn(open, fact);
  },

  next({ open }, _moment, limit) {
    return takeFrom(open, limit).map(([, told]) => noteContact(told));
  },
});

function noteWithdrawn(open: Map<string, Told>, because: FactOf<'LeadWithdrawn'>): void {
  const { suppression, buyers = [] } = because.data;
  const leadId = idOf(because.stream);
  if (suppression === undefined) return;
  for (const buyer of buyers) open.set(keyOf(buyer.customerId, leadId), { ...buyer, leadId, suppression, because });
}

const noteContact = ({ leadId, orderId, customerId, suppression, because }: Told): CommandWish => ({
  commandId: deriveId('SuppressContact', customerId, because.eventId),
  stream: contactBookStream(customerId),
  command: { type: 'SuppressContact', leadId, orderId, suppression },
  because,
});
