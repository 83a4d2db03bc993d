import { type Fact, idOf } from '#domain/codec';
import type { Chance } from './chance.ts';
import {
  type Intention,
  onCancelling,
  onDelivery,
  onDenial,
  onGrant,
  onJoining,
  onMissedRenewal,
  onPayment,
  onRequest,
  onTicket,
} from './habits.ts';
import type { Trouble } from './lead-supply.ts';

export const eventsPeopleReactTo = [
  'PaymentCaptured',
  'LeadDelivered',
  'ReplacementRequested',
  'ChargebackGranted',
  'ChargebackDenied',
  'ProgrammeJoined',
  'RenewalMissed',
  'TicketOpened',
  'OrderCancelled',
] as const;

/** What a customer or the staff intend to do because of an event. */
export interface Reaction {
  /** The order, customer, return or ticket that they act on. */
  readonly who: string;
  readonly intentions: readonly Intention[];
  /** Tells deeds of one kind about one thing apart. Absent where there is only one. */
  readonly occasion?: string;
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
      const intention = onRequest(
        chance.of('requested', id, ...(fact.revision > 0 ? [fact.eventId] : [])),
        reason,
        troubles.get(leadId),
      );
      const occasion = fact.revision > 0 && { occasion: fact.eventId };
      return { who: id, intentions: [intention], about: { orderId, leadId }, ...occasion };
    }
    case 'ChargebackGranted':
    case 'ChargebackDenied': {
      const { leadId, orderId } = fact.data;
      const react = fact.type === 'ChargebackGranted' ? onGrant : onDenial;
      const intentions = react(chance.of(fact.type, fact.eventId));
      return { who: id, intentions, about: { orderId, leadId }, occasion: fact.eventId };
    }
    case 'ProgrammeJoined':
      return { who: id, intentions: onJoining(chance.of('joined', id)), about: aboutOrder };
    case 'RenewalMissed': {
      const intentions = [onMissedRenewal(chance.of('missed', fact.eventId))];
      return { who: id, intentions, about: aboutOrder, occasion: fact.eventId };
    }
    case 'TicketOpened':
      return { who: id, intentions: [onTicket(chance.of('ticket', id))], about: { orderId: '', leadId: '' } };
    case 'OrderCancelled':
      return { who: id, intentions: onCancelling(chance.of('cancelled', id)), about: aboutOrder };
    default:
      return undefined;
  }
}
