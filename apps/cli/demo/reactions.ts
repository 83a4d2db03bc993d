import { type Fact, idOf } from '#domain/codec';
import type { Chance } from './chance.ts';
import { type Intention, onCancelling, onDelivery, onJoining, onPayment, onRequest, onTicket } from './habits.ts';
import type { Trouble } from './lead-supply.ts';

export const eventsPeopleReactTo = [
  'PaymentCaptured',
  'LeadDelivered',
  'ReplacementRequested',
  'ProgrammeJoined',
  'TicketOpened',
  'OrderCancelled',
] as const;

/** What a customer or the staff intend to do because of an event. */
export interface Reaction {
  /** The order, customer, return or ticket that they act on. */
  readonly who: string;
  readonly intentions: readonly Intention[];
  readonly about: { readonly orderId: string; readonly leadId: string };
}

/** @param troubles lead → what is wrong with it */
export function reactionTo(fact: Fact, chance: Chance, troubles: ReadonlyMap<string, Trouble>): Reaction | undefined {
  const id = idOf(fact.stream);
  const aboutOrder = { orderId: id, leadId: '' };
  switch (fact.type) {
    case 'PaymentCaptured':
      return { who: id, intentions: onPayment(chance.of('paid', id)), about: aboutOrder };
    case 'LeadDelivered': {
      const { leadId, customerId } = fact.data;
      const intentions = onDelivery(chance.of('delivered', id, leadId), troubles.get(leadId));
      return { who: customerId, intentions, about: { orderId: id, leadId } };
    }
    case 'ReplacementRequested': {
      const { leadId, orderId, reason } = fact.data;
      const intention = onRequest(chance.of('requested', id), reason, troubles.get(leadId));
      return { who: id, intentions: [intention], about: { orderId, leadId } };
    }
    case 'ProgrammeJoined':
      return { who: id, intentions: onJoining(chance.of('joined', id)), about: aboutOrder };
    case 'TicketOpened':
      return { who: id, intentions: [onTicket(chance.of('ticket', id))], about: { orderId: '', leadId: '' } };
    case 'OrderCancelled':
      return { who: id, intentions: onCancelling(chance.of('cancelled', id)), about: aboutOrder };
    default:
      return undefined;
  }
}
