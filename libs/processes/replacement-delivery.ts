import { type FactOf, idOf } from '#domain/codec';
import { deriveId } from '#domain/kernel/ids';
import { leadStream } from '#domain/leads/lead';
import { orderStream } from '#domain/orders/order';
import { replacementStream } from '#domain/replacements/replacement';
import type { CommandWish, Process } from './process.ts';

/**
 * Carries a granted return to its end: the bad lead is withdrawn (DLV-10), the order is owed another one (RPL-6), and
 * once that one is delivered the request knows it. Who gets which lead is for lead-distribution to say.
 */
export const replacementDelivery: Process<ToDo, (typeof eventTypes)[number]> = {
  name: 'replacement-delivery',
  get eventTypes() {
    return eventTypes;
  },
  initialState: () => ({ toWithdraw: new Map(), toOwe: new Map(), delivered: new Map() }),

  evolve(toDo, fact) {
    switch (fact.type) {
      case 'ChargebackGranted':
        toDo.toWithdraw.set(fact.data.leadId, fact);
        toDo.toOwe.set(idOf(fact.stream), fact);
        break;
      case 'LeadWithdrawn':
        toDo.toWithdraw.delete(idOf(fact.stream));
        break;
      case 'ReplacementOwed':
        toDo.toOwe.delete(fact.data.replacementId);
        break;
      case 'LeadDelivered':
        if (fact.data.replacementFor !== undefined) toDo.delivered.set(fact.data.replacementFor, fact);
        break;
      case 'ReplacementDelivered':
        toDo.delivered.delete(idOf(fact.stream));
        break;
    }
  },

  next({ toWithdraw, toOwe, delivered }, _moment, limit) {
    const wishes: CommandWish[] = [];
    for (const [leadId, fact] of toWithdraw) {
      if (wishes.length >= limit) break;
      toWithdraw.delete(leadId);
      wishes.push(withdrawLead(fact));
    }
    for (const [replacementId, fact] of toOwe) {
      if (wishes.length >= limit) break;
      toOwe.delete(replacementId);
      wishes.push(oweReplacement(replacementId, fact));
    }
    for (const [replacementId, fact] of delivered) {
      if (wishes.length >= limit) break;
      delivered.delete(replacementId);
      wishes.push(recordDelivery(replacementId, fact));
    }
    return wishes;
  },
};

const eventTypes = [
  'ChargebackGranted',
  'LeadWithdrawn',
  'ReplacementOwed',
  'LeadDelivered',
  'ReplacementDelivered',
] as const;

/** A crash may come between any two of these: that one is done says nothing of another. */
interface ToDo {
  /** Bad lead → the verdict, until it is known to be withdrawn. */
  readonly toWithdraw: Map<string, FactOf<'ChargebackGranted'>>;
  /** Replacement → its verdict, until the order is known to be owed it. */
  readonly toOwe: Map<string, FactOf<'ChargebackGranted'>>;
  /** Replacement → the delivery that paid it, until the request knows. */
  readonly delivered: Map<string, FactOf<'LeadDelivered'>>;
}

const withdrawLead = (because: FactOf<'ChargebackGranted'>): CommandWish => ({
  commandId: deriveId('WithdrawLead', because.eventId),
  stream: leadStream(because.data.leadId),
  command: { type: 'WithdrawLead', replacementId: idOf(because.stream), reason: because.data.reason },
  because,
});

const oweReplacement = (replacementId: string, because: FactOf<'ChargebackGranted'>): CommandWish => ({
  commandId: deriveId('OweReplacement', because.eventId),
  stream: orderStream(because.data.orderId),
  command: { type: 'OweReplacement', replacementId, leadId: because.data.leadId, owedSince: because.data.at },
  because,
});

const recordDelivery = (replacementId: string, because: FactOf<'LeadDelivered'>): CommandWish => ({
  commandId: deriveId('RecordReplacementDelivered', because.eventId),
  stream: replacementStream(replacementId),
  command: { type: 'RecordReplacementDelivered', replacementLeadId: because.data.leadId },
  because,
});
