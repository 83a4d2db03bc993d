import { type FactOf, idOf } from '#domain/codec';
import { deriveId } from '#domain/kernel/ids';
import { leadStream } from '#domain/leads/lead';
import { orderStream } from '#domain/orders/order';
import { replacementStream } from '#domain/replacements/replacement';
import { type CommandWish, defineProcess, takeFrom } from './process.ts';

/** A crash may come between the two steps: one may be done and the other not. */
interface Granted {
  readonly verdict: FactOf<'ChargebackGranted'>;
  toWithdraw: boolean;
  toOwe: boolean;
}

interface GrantedReturns {
  /** Replacement → its verdict, and which of its two steps are still to do. */
  readonly granted: Map<string, Granted>;
  /** Replacement → its delivery, until the request records it. */
  readonly delivered: Map<string, FactOf<'LeadDelivered'>>;
}

/**
 * Carries out a granted return: withdraws the bad lead (DLV-10), notes in the order that a replacement is owed (RPL-6),
 * and records the delivery of the replacement in the request. The process lead-distribution decides who gets which lead.
 */
export const replacementDelivery = defineProcess({
  name: 'replacement-delivery',
  eventTypes: [
    'ChargebackGranted',
    'LeadWithdrawn',
    'ReplacementOwed',
    'LeadDelivered',
    'ReplacementDelivered',
    'ReplacementEnded',
  ],
  initialState: (): GrantedReturns => ({ granted: new Map(), delivered: new Map() }),

  evolve(returns, fact) {
    switch (fact.type) {
      case 'ChargebackGranted':
        returns.granted.set(idOf(fact.stream), { verdict: fact, toWithdraw: true, toOwe: true });
        break;
      case 'LeadWithdrawn':
        if (fact.data.replacementId !== undefined) isDone(returns, fact.data.replacementId, 'toWithdraw');
        break;
      case 'ReplacementOwed':
        isDone(returns, fact.data.replacementId, 'toOwe');
        break;
      case 'ReplacementEnded':
        isDone(returns, idOf(fact.stream), 'toOwe');
        break;
      case 'LeadDelivered':
        if (fact.data.replacementFor !== undefined) returns.delivered.set(fact.data.replacementFor, fact);
        break;
      case 'ReplacementDelivered':
        returns.delivered.delete(idOf(fact.stream));
        break;
    }
  },

  next({ granted, delivered }, _moment, limit) {
    const wishes: CommandWish[] = [];
    // Verdict by verdict: the same log makes the same wishes, however many verdicts arrive at once.
    for (const [replacementId, { verdict, toWithdraw, toOwe }] of granted) {
      if (wishes.length >= limit) break;
      granted.delete(replacementId);
      if (toWithdraw) wishes.push(withdrawLead(replacementId, verdict));
      if (toOwe) wishes.push(oweReplacement(replacementId, verdict));
    }
    const deliveries = takeFrom(delivered, limit - wishes.length);
    return [...wishes, ...deliveries.map(([replacementId, fact]) => recordDelivery(replacementId, fact))];
  },
});

function isDone({ granted }: GrantedReturns, replacementId: string, step: 'toWithdraw' | 'toOwe'): void {
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
