import { customerStream } from '#domain/accounts/customer';
import { type FactOf, idOf } from '#domain/codec';
import { DueList } from '#domain/kernel/due-list';
import type { Instant } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import { addDays, addHours, earliest } from '#domain/kernel/instants';
import { isTimeZone } from '#domain/kernel/local-days';
import { decisionDueAt } from '#domain/loyalty/late-renewals';
import { type ProgrammeState, programme, programmeStream, type RenewalCharge } from '#domain/loyalty/programme';
import { orderStream } from '#domain/orders/order';
import {
  nextPolicyChange,
  type PolicyState,
  type PolicyVersion,
  policy,
  policyAt,
  renewalGraceHoursOf,
} from '#domain/policy/policy';
import { keyOfRenewal } from './charge-keys.ts';
import { type CommandWish, defineProcess, type EffectWish, takeFrom } from './process.ts';

const eventTypes = [
  'PolicyPublished',
  'OrderPlaced',
  'OrderTimeZoneCorrected',
  'PaymentCaptured',
  'PaymentCardChanged',
  'OrderReopened',
  'PaymentCapturedTooLate',
  'ProgrammeJoined',
  'RenewalAnnounced',
  'RenewalBegun',
  'RenewalConfirmationRequested',
  'RenewalPaid',
  'RenewalDeclined',
  'RenewalUnknown',
  'RenewalNotCaptured',
  'RenewalMissed',
  'RenewalReleased',
  'RenewalSkipped',
  'PersonErased',
  'ProgrammeHeld',
  'ProgrammeActivated',
  'ProgrammeCancelled',
] as const;
type RenewalFact = FactOf<(typeof eventTypes)[number]>;

interface Renewals {
  /** The latest instant of any fact, or of the clock. */
  now: Instant;
  readonly policies: PolicyState;
  /** By the policy from which the members' next steps were computed. */
  noticeDays: number;
  /** Orders in Loyalty Rewards, due at their next step. A member that waits for a fact is not scheduled. */
  readonly members: DueList<Member>;
  readonly toCharge: Map<string, ChargeToMake>;
  /** Charges that were begun before the store stood still, and wait for an operator's word. */
  readonly waiting: Map<string, ChargeToMake['begun']>;
  /** Charges that wait for their customers, due when the provider is asked again. */
  readonly toSettle: DueList<FactOf<'RenewalConfirmationRequested'>>;
  readonly toReopen: Map<string, FactOf<'RenewalPaid'>>;
  /** Subjects of erasures. Renewals that begin for such a customer are never charged. */
  readonly erased: Set<string>;
}

/** An order in Loyalty Rewards, until its programme is cancelled. */
interface Member {
  readonly orderId: string;
  readonly customerId: string;
  programme: ProgrammeState;
  /** The first payment was captured: nothing is renewed before. */
  paid: boolean;
  /** Its time zone is known: without days it receives nothing (DLV-5), so nothing is announced or charged. */
  hasDays: boolean;
  /** A renewal was paid, and the order has not recorded it yet. */
  reopening: boolean;
  /** At the first order's price (LOY-2), with the present card (ORD-4). */
  charge: RenewalCharge;
}

interface ChargeToMake {
  readonly begun: FactOf<'RenewalBegun'>['data'];
  /** The beginning, or what came later: the word of an operator, or that its customer was erased while it waited for one. */
  readonly because: FactOf<'RenewalBegun' | 'RenewalReleased' | 'RenewalMissed' | 'PersonErased'>;
}

/**
 * Renews the orders in Loyalty Rewards. Each renewal has four steps: it is announced (LOY-7), begun on its date, charged,
 * and once it is paid the order is re-opened (LOY-2). Each step leaves a fact: after a crash the next step is
 * requested again. A renewal does not begin before the order has recorded the one before. After the store stood still, what is
 * too late waits for an operator's word (LOY-10), as does the renewal of an order whose time zone is not known.
 */
export const loyaltyRenewals = defineProcess({
  name: 'loyalty-renewals',
  eventTypes,
  initialState: (): Renewals => ({
    now: '',
    policies: policy.initialState(),
    noticeDays: 0,
    members: new DueList(),
    toCharge: new Map(),
    waiting: new Map(),
    toSettle: new DueList(),
    toReopen: new Map(),
    erased: new Set(),
  }),
  evolve,

  next(renewals, { now }, limit) {
    if (now > renewals.now) renewals.now = now;
    applyPolicyInForce(renewals);
    const inForce = policyAt(renewals.policies, now);
    // The charge of an erased customer only gets a result: its card cannot be opened any more.
    const charges = takeFrom(renewals.toCharge, limit).map(([orderId, charge]) =>
      isTooLate(charge, now, inForce) && !isErased(renewals, orderId)
        ? missRenewal(orderId, charge, inForce)
        : renewalToCharge(orderId, charge),
    );
    const reopenings = takeFrom(renewals.toReopen, limit).map(([orderId, paid]) => reopenOrder(orderId, paid));
    const settlements = settlementsDue(renewals, now, limit);
    return [...charges, ...settlements, ...reopenings, ...stepsDue(renewals, now, limit)];
  },

  wakeAt({ now, policies, members, toSettle }) {
    return earliest([nextPolicyChange(policies, now), members.nextDueAt(), toSettle.nextDueAt()]);
  },
});

function evolve(renewals: Renewals, fact: RenewalFact): void {
  if (fact.data.at > renewals.now) renewals.now = fact.data.at;
  if (fact.type === 'PolicyPublished') {
    policy.evolve(renewals.policies, fact);
    return;
  }
  if (fact.type === 'PersonErased') {
    noteErased(renewals, fact);
    return;
  }
  const orderId = idOf(fact.stream);
  if (fact.type === 'OrderPlaced' && fact.data.loyalty) renewals.members.put(orderId, newMember(orderId, fact.data));
  noteToDo(renewals, orderId, fact);
  const member = renewals.members.get(orderId);
  if (!member) return;
  evolveMember(member, fact);
  const { status, underWay } = member.programme;
  // A charge that has begun gets its result, also after the programme was cancelled (LOY-6).
  if (status !== 'cancelled') scheduleNextStep(renewals, member);
  else if (underWay) renewals.members.put(orderId, member, undefined);
  else renewals.members.remove(orderId);
}

const endsWaiting: ReadonlySet<RenewalFact['type']> = new Set([
  'RenewalReleased',
  'RenewalUnknown',
  'RenewalPaid',
  'RenewalDeclined',
] as const);

/** Nobody says a word about a renewal of an erased customer: what became of its charge is unknown, and listed as that. */
function noteErased({ waiting, ...renewals }: Renewals, fact: FactOf<'PersonErased'>): void {
  for (const subject of fact.data.subjects) renewals.erased.add(subject);
  for (const [orderId, begun] of waiting) {
    if (!isErased(renewals, orderId)) continue;
    waiting.delete(orderId);
    renewals.toCharge.set(orderId, { begun, because: fact });
  }
}

function noteToDo(
  { toCharge, waiting, toSettle, toReopen, ...renewals }: Renewals,
  orderId: string,
  fact: RenewalFact,
): void {
  if (endsWaiting.has(fact.type)) waiting.delete(orderId);
  switch (fact.type) {
    case 'RenewalBegun':
      if (!isErased(renewals, orderId)) toCharge.set(orderId, { begun: fact.data, because: fact });
      break;
    case 'RenewalConfirmationRequested':
      toCharge.delete(orderId);
      toSettle.put(orderId, fact, nextCheckAt(fact, fact.data.at), fact.data.at);
      break;
    case 'RenewalReleased': {
      const begun = renewals.members.get(orderId)?.programme.underWay;
      if (begun) toCharge.set(orderId, { begun, because: fact });
      break;
    }
    case 'RenewalMissed': {
      toCharge.delete(orderId);
      toSettle.remove(orderId);
      const begun = renewals.members.get(orderId)?.programme.underWay;
      if (!begun) break;
      if (isErased(renewals, orderId)) toCharge.set(orderId, { begun, because: fact });
      else waiting.set(orderId, begun);
      break;
    }
    case 'RenewalUnknown':
    case 'RenewalDeclined':
      toCharge.delete(orderId);
      toSettle.remove(orderId);
      break;
    case 'RenewalPaid':
      toCharge.delete(orderId);
      toSettle.remove(orderId);
      toReopen.set(orderId, fact);
      break;
    case 'OrderReopened':
    case 'PaymentCapturedTooLate':
      toReopen.delete(orderId);
      break;
  }
}

const isErased = ({ members, erased }: Pick<Renewals, 'members' | 'erased'>, orderId: string): boolean =>
  erased.has(customerStream(members.get(orderId)?.customerId ?? ''));

function newMember(orderId: string, data: FactOf<'OrderPlaced'>['data']): Member {
  const { customerId, paymentToken: token, quantity, pricePerLeadCents, currency, statementDescriptor } = data;
  return {
    orderId,
    customerId,
    programme: programme.initialState(),
    paid: false,
    hasDays: isTimeZone(data.timeZone),
    reopening: false,
    charge: { token, amountCents: quantity * pricePerLeadCents, currency, statementDescriptor },
  };
}

function evolveMember(member: Member, fact: Exclude<RenewalFact, { type: 'PolicyPublished' | 'PersonErased' }>): void {
  switch (fact.type) {
    case 'OrderPlaced':
      break;
    case 'PaymentCaptured':
      member.paid = true;
      keepCustomer(member, fact);
      break;
    case 'OrderTimeZoneCorrected':
      member.hasDays = true;
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
      keepCustomer(member, fact);
      member.programme = programme.evolve(member.programme, fact);
      break;
    default:
      member.programme = programme.evolve(member.programme, fact);
  }
}

function keepCustomer(member: Member, { data }: FactOf<'PaymentCaptured' | 'RenewalPaid'>): void {
  const { providerCustomerId } = data;
  if (providerCustomerId !== undefined) member.charge = { ...member.charge, providerCustomerId };
}

const scheduleNextStep = ({ members, noticeDays }: Renewals, member: Member): void =>
  members.put(member.orderId, member, nextStepAt(member, noticeDays));

/** Undefined while the member waits for a fact. */
function nextStepAt({ programme: state, paid, hasDays, reopening }: Member, noticeDays: number): Instant | undefined {
  const dueAt = decisionDueAt(state);
  if (dueAt === undefined || !paid || reopening) return undefined;
  const { announced, attemptsInARow, missed, releasedAt } = state.next;
  return !hasDays || announced || attemptsInARow > 0 || missed || releasedAt ? dueAt : addDays(dueAt, -noticeDays);
}

/** Another policy may announce renewals earlier or later: then the next step of every member is computed again. */
function applyPolicyInForce(renewals: Renewals): void {
  const noticeDays = policyAt(renewals.policies, renewals.now)?.policy.renewalNoticeDays ?? 0;
  if (noticeDays === renewals.noticeDays) return;
  renewals.noticeDays = noticeDays;
  for (const member of renewals.members.items()) scheduleNextStep(renewals, member);
}

function renewalToCharge(orderId: string, { begun, because }: ChargeToMake): EffectWish {
  const { at: wishedAt, renewalNumber, attempt, charge, retryAfterHours } = begun;
  const isTriedAgain = retryAfterHours !== undefined;
  return {
    commandId: keyOfRenewal(orderId, begun),
    stream: programmeStream(orderId),
    effect: { kind: 'charge-renewal', orderId, renewalNumber, attempt, isTriedAgain, wishedAt, ...charge },
    because,
  };
}

const isTooLate = (
  { because }: ChargeToMake,
  now: Instant,
  inForce: PolicyVersion | undefined,
): inForce is PolicyVersion =>
  inForce !== undefined && now > addHours(because.data.at, renewalGraceHoursOf(inForce.policy));

/** Only after a restart: a provider that does not respond is asked again by the engine, however long that takes. */
function missRenewal(orderId: string, { begun, because }: ChargeToMake, inForce: PolicyVersion): CommandWish {
  const { renewalNumber, attempt } = begun;
  const { policy: document, version: policyVersion } = inForce;
  return {
    commandId: deriveId('MissRenewal', because.eventId),
    stream: programmeStream(orderId),
    command: { type: 'MissRenewal', renewalNumber, attempt, graceHours: renewalGraceHoursOf(document), policyVersion },
    because,
  };
}

/** A customer who has confirmed a charge does not wait for the leads until the time is over. */
const HOURS_BETWEEN_CHECKS = 0.25;
const nextCheckAt = ({ data }: FactOf<'RenewalConfirmationRequested'>, now: Instant): Instant =>
  earliest([addHours(now, HOURS_BETWEEN_CHECKS), data.until]) as Instant;

/** A held or cancelled programme settles its charge, too: the customer may have confirmed it. */
function settlementsDue({ toSettle }: Renewals, now: Instant, limit: number): EffectWish[] {
  return toSettle.take(now, limit).map((asked) => {
    if (now < asked.data.until) toSettle.put(idOf(asked.stream), asked, nextCheckAt(asked, now));
    return chargeToSettle(asked, now);
  });
}

function chargeToSettle(asked: FactOf<'RenewalConfirmationRequested'>, now: Instant): EffectWish {
  const isOver = now >= asked.data.until;
  const { renewalNumber, attempt, reference } = asked.data;
  return {
    commandId: deriveId('settle-renewal', asked.eventId, isOver ? 'over' : now),
    stream: asked.stream,
    effect: { kind: 'settle-renewal', orderId: idOf(asked.stream), renewalNumber, attempt, reference, isOver },
    because: asked,
  };
}

function reopenOrder(orderId: string, paid: FactOf<'RenewalPaid'>): CommandWish {
  const { renewalNumber, reference: paymentReference, amountCents, currency, owedBack } = paid.data;
  const payment = { paymentReference, amountCents, currency, ...(owedBack && { owedBack }) };
  return {
    commandId: deriveId('ReopenOrder', paid.eventId),
    stream: orderStream(orderId),
    command: { type: 'ReopenOrder', renewalNumber, ...payment },
    because: paid,
  };
}

/**
 * Uses this machine's clock, as the commands do, and not the latest instant of any fact: a command sent too early would
 * be ignored, and no fact would cause another one. An announcement may be ignored because the date has come meanwhile:
 * so the start of the renewal is scheduled at once.
 */
function stepsDue({ policies, members }: Renewals, now: Instant, limit: number): CommandWish[] {
  const inForce = policyAt(policies, now);
  if (!inForce) return [];
  return members.take(now, limit).map((member) => {
    const dueAt = decisionDueAt(member.programme) as Instant;
    members.put(member.orderId, member, dueAt > now ? dueAt : undefined);
    return stepOf(member, now, inForce);
  });
}

/** A renewal that is already due is not announced: the customer could not hold it any more. */
function stepOf(
  { orderId, programme: state, charge, hasDays }: Member,
  now: Instant,
  inForce: PolicyVersion,
): CommandWish {
  const { number: renewalNumber, attempts, missed, releasedAt } = state.next;
  const stepAt = decisionDueAt(state) as Instant;
  const isDue = stepAt <= now;
  const { policy: document, version: policyVersion } = inForce;
  const renewal = { renewalNumber, policyVersion };
  return {
    commandId: deriveId(
      isDue ? 'BeginRenewal' : 'AnnounceRenewal',
      orderId,
      String(renewalNumber),
      stepAt,
      String(attempts),
      // A word may come at the very instant at which the renewal was missed: its charge is another command.
      ...(missed ? ['missed'] : releasedAt ? ['released'] : []),
    ),
    stream: programmeStream(orderId),
    command: isDue
      ? {
          type: 'BeginRenewal',
          ...renewal,
          charge,
          retryHours: document.renewalRetryHours,
          graceHours: renewalGraceHoursOf(document),
          ...(!hasDays && { withoutDays: true as const }),
        }
      : { type: 'AnnounceRenewal', ...renewal },
  };
}
