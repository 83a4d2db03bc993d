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
  initialState: () => ({ granted: new Map(), delivered: new Map() }),

  evolve(toDo, fact) {
    switch (fact.type) {
      case 'ChargebackGranted':
        toDo.granted.set(idOf(fact.stream), { verdict: fact, toWithdraw: true, toOwe: true });
        break;
      case 'LeadWithdrawn':
        isDone(toDo, fact.data.replacementId, 'toWithdraw');
        break;
      case 'ReplacementOwed':
        isDone(toDo, fact.data.replacementId, 'toOwe');
        break;
      case 'LeadDelivered':
        if (fact.data.replacementFor !== undefined) toDo.delivered.set(fact.data.replacementFor, fact);
        break;
      case 'ReplacementDelivered':
        toDo.delivered.delete(idOf(fact.stream));
        break;
    }
  },

  next({ granted, delivered }, _moment, limit) {
    const wishes: CommandWish[] = [];
    // Verdict by verdict, so that the same log makes the same wishes however many verdicts were heard at once.
    for (const [replacementId, { verdict, toWithdraw, toOwe }] of granted) {
      if (wishes.length >= limit) break;
      granted.delete(replacementId);
      if (toWithdraw) wishes.push(withdrawLead(replacementId, verdict));
      if (toOwe) wishes.push(oweReplacement(replacementId, verdict));
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

interface ToDo {
  /** Replacement → its verdict, and what of it is not known to be done. */
  readonly granted: Map<string, Granted>;
  /** Replacement → the delivery that paid it, until the request knows. */
  readonly delivered: Map<string, FactOf<'LeadDelivered'>>;
}

/** A crash may come between the two steps: that one is done says nothing of the other. */
interface Granted {
  readonly verdict: FactOf<'ChargebackGranted'>;
  toWithdraw: boolean;
  toOwe: boolean;
}

function isDone({ granted }: ToDo, replacementId: string, step: 'toWithdraw' | 'toOwe'): void {
  const one = granted.get(replacementId);
  if (!one) return;
  one[step] = false;
  if (!one.toWithdraw && !one.toOwe) granted.delete(replacementId);
}

const withdrawLead = (replacementId: string, because: FactOf<'ChargebackGranted'>): CommandWish => ({
  commandId: deriveId('WithdrawLead', because.eventId),
  stream: leadStream(because.data.leadId),
  command: { type: 'WithdrawLead', replacementId, reason: because.data.reason },
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
