import { type FactOf, idOf } from '#domain/codec';
import type { Instant } from '#domain/kernel/events';
import { type Heap, heapOf, type Placed } from '#domain/kernel/heap';
import { deriveId } from '#domain/kernel/ids';
import { addDays } from '#domain/kernel/instants';
import {
  chargeDueAt,
  type ProgrammeState,
  programme,
  programmeStream,
  type RenewalCharge,
} from '#domain/loyalty/programme';
import { orderStream } from '#domain/orders/order';
import { type PolicyState, type PolicyVersion, policy, policyAt } from '#domain/policy/policy';
import type { CommandWish, EffectWish, Process } from './process.ts';

/**
 * Renews the orders in Loyalty Rewards, each renewal in four steps: announced (LOY-7), begun on its date, charged, and
 * once it is paid the order is re-opened (LOY-2). Each step leaves a fact, so that a crash only means that the next step
 * is wished again. The next renewal does not begin before the order knows of the one before: after a stand-still of
 * months they come one by one, in order.
 */
export const loyaltyRenewals: Process<Renewals, (typeof eventTypes)[number]> = {
  name: 'loyalty-renewals',
  get eventTypes() {
    return eventTypes;
  },
  initialState: () => ({
    now: '',
    policies: policy.initialState(),
    noticeDays: 0,
    members: new Map(),
    byNextStep: heapOf((a, b) => (a.nextStepAt < b.nextStepAt ? -1 : 1)),
    toCharge: new Map(),
    toReopen: new Map(),
  }),
  evolve,

  next(renewals, { now }, limit) {
    if (now > renewals.now) renewals.now = now;
    goByThePolicyInForce(renewals);
    return [...charges(renewals, limit), ...reopenings(renewals, limit), ...stepsDue(renewals, now, limit)];
  },

  wakeAt({ now, policies, byNextStep }) {
    // A policy that takes effect later may have renewals announced earlier.
    const changes = policies.versions.map(({ effectiveFrom }) => effectiveFrom).filter((at) => at > now);
    return [...changes, byNextStep.first()?.nextStepAt].filter((at) => at !== undefined).sort()[0];
  },
};

const eventTypes = [
  'PolicyPublished',
  'OrderPlaced',
  'PaymentCaptured',
  'PaymentCardChanged',
  'OrderReopened',
  'PaymentCapturedTooLate',
  'ProgrammeJoined',
  'RenewalAnnounced',
  'RenewalBegun',
  'RenewalPaid',
  'RenewalDeclined',
  'ProgrammeHeld',
  'ProgrammeActivated',
  'ProgrammeCancelled',
] as const;
type RenewalFact = FactOf<(typeof eventTypes)[number]>;

interface Renewals {
  /** The latest instant heard of. */
  now: Instant;
  readonly policies: PolicyState;
  /** Of the policy by which the members' next steps were computed. */
  noticeDays: number;
  readonly members: Map<string, Member>;
  readonly byNextStep: Heap<Member>;
  readonly toCharge: Map<string, FactOf<'RenewalBegun'>>;
  readonly toReopen: Map<string, FactOf<'RenewalPaid'>>;
}

/** An order in Loyalty Rewards, until its programme is cancelled. */
interface Member extends Placed {
  readonly orderId: string;
  programme: ProgrammeState;
  /** The first payment has arrived: nothing is renewed before. */
  paid: boolean;
  /** A renewal was paid, and the order does not know of it yet. */
  reopening: boolean;
  /** At the first order's price (LOY-2), with the card as it is now (ORD-4). */
  charge: RenewalCharge;
  nextStepAt: Instant;
}

function evolve(renewals: Renewals, fact: RenewalFact): void {
  if (fact.data.at > renewals.now) renewals.now = fact.data.at;
  const orderId = idOf(fact.stream);
  if (fact.type === 'PolicyPublished') {
    policy.evolve(renewals.policies, fact);
    return;
  }
  if (fact.type === 'OrderPlaced' && fact.data.loyalty) renewals.members.set(orderId, memberFor(orderId, fact.data));
  if (fact.type === 'RenewalBegun') renewals.toCharge.set(orderId, fact);
  if (fact.type === 'RenewalPaid' || fact.type === 'RenewalDeclined') renewals.toCharge.delete(orderId);
  if (fact.type === 'RenewalPaid') renewals.toReopen.set(orderId, fact);
  if (fact.type === 'OrderReopened' || fact.type === 'PaymentCapturedTooLate') renewals.toReopen.delete(orderId);
  const member = renewals.members.get(orderId);
  if (!member) return;
  change(member, fact);
  if (fact.type === 'ProgrammeCancelled') renewals.members.delete(orderId);
  refresh(renewals, member);
}

function memberFor(orderId: string, data: FactOf<'OrderPlaced'>['data']): Member {
  const { paymentToken: token, quantity, pricePerLeadCents, currency, statementDescriptor } = data;
  return {
    orderId,
    programme: programme.initialState(),
    paid: false,
    reopening: false,
    charge: { token, amountCents: quantity * pricePerLeadCents, currency, statementDescriptor },
    nextStepAt: '',
    place: -1,
  };
}

function change(member: Member, fact: Exclude<RenewalFact, { type: 'PolicyPublished' }>): void {
  switch (fact.type) {
    case 'OrderPlaced':
      break;
    case 'PaymentCaptured':
      member.paid = true;
      break;
    case 'PaymentCardChanged':
      member.charge = { ...member.charge, token: fact.data.paymentToken };
      break;
    case 'OrderReopened':
    case 'PaymentCapturedTooLate':
      member.reopening = false;
      break;
    case 'RenewalPaid':
      member.reopening = true;
      member.programme = programme.evolve(member.programme, fact);
      break;
    default:
      member.programme = programme.evolve(member.programme, fact);
  }
}

/** Puts a member where its next step belongs, or takes it out while there is none. */
function refresh({ byNextStep, noticeDays }: Renewals, member: Member): void {
  const { programme: state, paid, reopening } = member;
  const dueAt = chargeDueAt(state);
  if (dueAt === undefined || !paid || reopening) {
    byNextStep.remove(member);
    return;
  }
  const { announced, attempts } = state.next;
  member.nextStepAt = announced || attempts > 0 ? dueAt : addDays(dueAt, -noticeDays);
  byNextStep.put(member);
}

function goByThePolicyInForce(renewals: Renewals): void {
  const noticeDays = policyAt(renewals.policies, renewals.now)?.policy.renewalNoticeDays ?? 0;
  if (noticeDays === renewals.noticeDays) return;
  renewals.noticeDays = noticeDays;
  for (const member of renewals.members.values()) refresh(renewals, member);
}

/** The key of a charge is its programme, its renewal and the attempt: sent twice, it is the same charge. */
function charges({ toCharge }: Renewals, limit: number): EffectWish[] {
  return [...toCharge].slice(0, limit).map(([orderId, begun]) => {
    toCharge.delete(orderId);
    const { renewalNumber, attempt, charge } = begun.data;
    return {
      commandId: deriveId('charge-renewal', orderId, String(renewalNumber), String(attempt)),
      stream: programmeStream(orderId),
      effect: { kind: 'charge-renewal', renewalNumber, attempt, ...charge },
      because: begun,
    };
  });
}

function reopenings({ toReopen }: Renewals, limit: number): CommandWish[] {
  return [...toReopen].slice(0, limit).map(([orderId, paid]) => {
    toReopen.delete(orderId);
    const { renewalNumber, reference: paymentReference, amountCents, currency } = paid.data;
    return {
      commandId: deriveId('ReopenOrder', paid.eventId),
      stream: orderStream(orderId),
      command: { type: 'ReopenOrder', renewalNumber, paymentReference, amountCents, currency },
      because: paid,
    };
  });
}

/**
 * By the clock of here, which the commands go by, too: one that came too early would come to nothing, and no fact would
 * call for it again. An announcement may come to nothing, if the date comes first: the renewal is next all the same.
 */
function stepsDue({ policies, byNextStep }: Renewals, now: Instant, limit: number): CommandWish[] {
  const wishes: CommandWish[] = [];
  const inForce = policyAt(policies, now);
  if (!inForce) return wishes;
  for (let first = byNextStep.first(); first && first.nextStepAt <= now; first = byNextStep.first()) {
    if (wishes.length >= limit) break;
    byNextStep.remove(first);
    wishes.push(stepOf(first, now, inForce));
    first.nextStepAt = chargeDueAt(first.programme) as Instant;
    if (first.nextStepAt > now) byNextStep.put(first);
  }
  return wishes;
}

/** What is due already is not announced any more: the announcement would offer a hold that comes too late. */
function stepOf({ orderId, programme: state, charge }: Member, now: Instant, inForce: PolicyVersion): CommandWish {
  const { number: renewalNumber, attempts, dueAt } = state.next;
  const isDue = (chargeDueAt(state) as Instant) <= now;
  const { policy: document, version: policyVersion } = inForce;
  const wish = { renewalNumber, policyVersion };
  const parts = [orderId, String(renewalNumber), dueAt, String(attempts)];
  return {
    commandId: deriveId(isDue ? 'BeginRenewal' : 'AnnounceRenewal', ...parts),
    stream: programmeStream(orderId),
    command: isDue
      ? { type: 'BeginRenewal', ...wish, charge, retryHours: document.renewalRetryHours }
      : { type: 'AnnounceRenewal', ...wish },
  };
}
