import { type FactOf, idOf } from '#domain/codec';
import { deriveId } from '#domain/kernel/ids';
import { leadStream } from '#domain/leads/lead';
import { orderStream } from '#domain/orders/order';
import { replacementStream } from '#domain/replacements/replacement';
import { type CommandWish, defineProcess, type EffectWish, takeFrom } from './process.ts';

/** A replacement is granted, as the rules say, as a correction, or as goodwill. */
type Verdict = FactOf<'ChargebackGranted' | 'VerdictCorrected' | 'GoodwillGranted'>;

/** A crash may come between the two steps: one may be done and the other not. */
interface Granted {
  readonly verdict: Verdict;
  toWithdraw: boolean;
  toOwe: boolean;
}

interface GrantedReturns {
  /** Replacement → its verdict, and which of its two steps are still to do. */
  readonly granted: Map<string, Granted>;
  /** Replacements that an order owes now. */
  readonly owed: Set<string>;
  /** Replacement → the correction that takes it back, until it is recorded (RPL-10). */
  readonly corrections: Map<string, FactOf<'CorrectionRequested'>>;
  /** Replacement → the end of its debt by a correction, until the request records that. */
  readonly takenBack: Map<string, FactOf<'ReplacementForgiven'>>;
  /** Replacement → the correction after which the person of its lead is claimed again (DLV-11). */
  readonly kept: Map<string, FactOf<'VerdictCorrected'>>;
  /** Replacement → its delivery, until the request records it. */
  readonly delivered: Map<string, FactOf<'LeadDelivered'>>;
}

/**
 * Carries out a granted return: withdraws the bad lead (DLV-10), notes in the order that a replacement is owed (RPL-6),
 * and records the delivery of the replacement in the request. The process lead-distribution decides who gets which lead.
 *
 * Takes a grant back that is to be corrected (RPL-10): the order forgives the debt, and then the request records its
 * verdict. A debt that is not in the order yet is awaited. Where the replacement was delivered first, the delivery stands.
 */
export const replacementDelivery = defineProcess({
  name: 'replacement-delivery',
  eventTypes: [
    'ChargebackGranted',
    'GoodwillGranted',
    'CorrectionRequested',
    'VerdictCorrected',
    'LeadWithdrawn',
    'WithdrawalCorrected',
    'ReplacementOwed',
    'ReplacementForgiven',
    'LeadDelivered',
    'ReplacementDelivered',
    'ReplacementEnded',
  ],
  initialState: (): GrantedReturns => ({
    granted: new Map(),
    owed: new Set(),
    corrections: new Map(),
    takenBack: new Map(),
    kept: new Map(),
    delivered: new Map(),
  }),

  evolve(returns, fact) {
    switch (fact.type) {
      case 'ChargebackGranted':
      case 'GoodwillGranted':
        noteGranted(returns, fact);
        break;
      case 'VerdictCorrected':
        if (fact.data.verdict === 'granted') noteGranted(returns, fact);
        else noteDenied(returns, fact);
        break;
      case 'WithdrawalCorrected':
        returns.kept.delete(fact.data.replacementId);
        break;
      case 'CorrectionRequested':
        returns.corrections.set(idOf(fact.stream), fact);
        break;
      case 'LeadWithdrawn':
        if (fact.data.replacementId !== undefined) isDone(returns, fact.data.replacementId, 'toWithdraw');
        break;
      case 'ReplacementOwed':
        isDone(returns, fact.data.replacementId, 'toOwe');
        returns.owed.add(fact.data.replacementId);
        break;
      case 'ReplacementForgiven':
        returns.owed.delete(fact.data.replacementId);
        if (fact.data.cause === 'verdict-corrected') returns.takenBack.set(fact.data.replacementId, fact);
        break;
      case 'ReplacementEnded':
        isDone(returns, idOf(fact.stream), 'toOwe');
        endCorrection(returns, idOf(fact.stream));
        break;
      case 'LeadDelivered':
        noteDelivered(returns, fact);
        break;
      case 'ReplacementDelivered':
        returns.delivered.delete(idOf(fact.stream));
        endCorrection(returns, idOf(fact.stream));
        break;
    }
  },

  next({ granted, owed, corrections, takenBack, kept, delivered }, _moment, limit) {
    const wishes: (CommandWish | EffectWish)[] = [];
    // Verdict by verdict: the same log makes the same wishes, however many verdicts arrive at once.
    for (const [replacementId, { verdict, toWithdraw, toOwe }] of granted) {
      if (wishes.length >= limit) break;
      granted.delete(replacementId);
      if (toWithdraw) wishes.push(withdrawLead(replacementId, verdict));
      if (toOwe) wishes.push(oweReplacement(replacementId, verdict));
    }
    for (const [replacementId, correction] of corrections) {
      if (wishes.length >= limit) break;
      if (!owed.has(replacementId)) continue;
      corrections.delete(replacementId);
      wishes.push(forgiveReplacement(replacementId, correction));
    }
    for (const [replacementId, fact] of takeFrom(takenBack, limit - wishes.length))
      wishes.push(completeCorrection(replacementId, fact));
    for (const [replacementId, fact] of takeFrom(kept, limit - wishes.length))
      wishes.push(keepPerson(replacementId, fact));
    for (const [replacementId, fact] of takeFrom(delivered, limit - wishes.length))
      wishes.push(recordDelivery(replacementId, fact));
    return wishes;
  },
});

function noteGranted({ granted, kept }: GrantedReturns, verdict: Verdict): void {
  kept.delete(idOf(verdict.stream));
  const toWithdraw = verdict.type !== 'GoodwillGranted';
  granted.set(idOf(verdict.stream), { verdict, toWithdraw, toOwe: true });
}

function noteDenied(returns: GrantedReturns, fact: FactOf<'VerdictCorrected'>): void {
  endCorrection(returns, idOf(fact.stream));
  returns.kept.set(idOf(fact.stream), fact);
}

function noteDelivered({ owed, delivered }: GrantedReturns, fact: FactOf<'LeadDelivered'>): void {
  const { replacementFor } = fact.data;
  if (replacementFor === undefined) return;
  owed.delete(replacementFor);
  delivered.set(replacementFor, fact);
}

function endCorrection({ corrections, takenBack }: GrantedReturns, replacementId: string): void {
  corrections.delete(replacementId);
  takenBack.delete(replacementId);
}

function isDone({ granted }: GrantedReturns, replacementId: string, step: 'toWithdraw' | 'toOwe'): void {
  const one = granted.get(replacementId);
  if (!one) return;
  one[step] = false;
  if (!one.toWithdraw && !one.toOwe) granted.delete(replacementId);
}

const withdrawLead = (replacementId: string, because: Verdict): CommandWish => ({
  commandId: deriveId('WithdrawLead', because.eventId),
  stream: leadStream(because.data.leadId),
  command: { type: 'WithdrawLead', replacementId, reason: because.data.reason },
  because,
});

const oweReplacement = (replacementId: string, because: Verdict): CommandWish => ({
  commandId: deriveId('OweReplacement', because.eventId),
  stream: orderStream(because.data.orderId),
  command: { type: 'OweReplacement', replacementId, leadId: because.data.leadId, owedSince: because.data.at },
  because,
});

const forgiveReplacement = (replacementId: string, because: FactOf<'CorrectionRequested'>): CommandWish => ({
  commandId: deriveId('ForgiveReplacement', because.eventId),
  stream: orderStream(because.data.orderId),
  command: { type: 'ForgiveReplacement', replacementId, cause: 'verdict-corrected' },
  because,
});

const completeCorrection = (replacementId: string, because: FactOf<'ReplacementForgiven'>): CommandWish => ({
  commandId: deriveId('CompleteCorrection', because.eventId),
  stream: replacementStream(replacementId),
  command: { type: 'CompleteCorrection' },
  because,
});

const keepPerson = (replacementId: string, because: FactOf<'VerdictCorrected'>): EffectWish => ({
  commandId: deriveId('CorrectWithdrawal', because.eventId),
  stream: leadStream(because.data.leadId),
  effect: { kind: 'keep-person', leadId: because.data.leadId, replacementId },
  because,
});

const recordDelivery = (replacementId: string, because: FactOf<'LeadDelivered'>): CommandWish => ({
  commandId: deriveId('RecordReplacementDelivered', because.eventId),
  stream: replacementStream(replacementId),
  command: { type: 'RecordReplacementDelivered', replacementLeadId: because.data.leadId },
  because,
});
