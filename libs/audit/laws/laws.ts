import type { EventStore, RecordedEvent } from '#event-store/port';
import {
  Books,
  DAY,
  type DeliveryCase,
  deliveryIn,
  type LeadEntry,
  type OrderEntry,
  personsIn,
  type ReturnEntry,
} from './books.ts';
import { CatalogueCheck } from './catalogue.ts';
import { CheckoutCheck } from './checkouts.ts';
import { ClockCheck, type ClocksFound, isDatedAsDecided } from './clocks.ts';
import { CouponCheck } from './coupons.ts';
import { EventIdCheck } from './event-ids.ts';
import { couldSee, EventsSeen } from './events-seen.ts';
import { isCause, isDecision } from './forms.ts';
import { OnceCheck } from './once.ts';
import { dataOf, nameOf, parseRaw, type RawEvent, RevisionCheck } from './raw-log.ts';
import { ReceiptCheck } from './receipts.ts';
import { RefundCheck } from './refunds.ts';
import { RenewalCheck } from './renewals.ts';
import { TurnCheck } from './turns.ts';

/**
 * The result of checking a log. Each law counts the events that break it, in one pass over the raw log. The check uses no
 * code of those who write the log: not the deciders, not the codec, not the rules of the domain.
 */
export interface Verdict {
  /** Law → how often it was broken. A sound log has only zeros. */
  readonly laws: Readonly<Record<Law, number>>;
  /** The first events that broke each broken law, as `stream@revision`, or what is wrong with the store. */
  readonly examples: Readonly<Partial<Record<Law, readonly string[]>>>;
  readonly events: number;
  readonly clocks: ClocksFound;
  /** Assignments whose winner was checked, and those about which the log does not say enough. */
  readonly decisions: { readonly judged: number; readonly passedOver: number };
  /** Position of the last event that was read; empty for an empty log. */
  readonly head: string;
}

export type Law = keyof typeof laws;

const EXAMPLES_PER_LAW = 5;

/** Law → what breaks it. */
export const laws = {
  exclusiveToSeveral: 'an exclusive lead was delivered to a second customer (DLV-1)',
  sharedToTooMany: 'a lead was delivered to more customers than the policy at its receipt allows (DLV-2)',
  sameBusinessTwice: 'a lead was delivered twice into one business (DLV-3)',
  samePersonTwice: 'a customer received a person twice (DLV-4)',
  personSoldAgain: 'a person was delivered as another lead, while the first one counted; or a duplicate was (DLV-11)',
  suppressedSold: 'a lead of a suppressed person was stored or assigned (DLV-12)',
  aboveDailyMaximum: 'an order received more than its maximum on a local day (DLV-5)',
  deliveredWhileNotOpen: 'an order received a lead while it was not open, or a replacement while paused (ORD-1, ORD-2)',
  deliveredTooMany: 'an order received more than its ordered and bonus leads, without replacements (ORD-6)',
  deliveredAfterWithdrawal: 'a lead was assigned after it had been withdrawn (DLV-10)',
  returnGrantedOutsideWindow:
    'a return was granted that was requested too late or without an approved reason (RPL-2, RPL-3)',
  replacementMissing: 'a return was granted a day ago or longer, and suitable stock was not used for it (RPL-6)',
  returnWindowWrong: 'a delivery promises another end of the time for returns than its policy says (RPL-2)',
  winnerNotFirst: 'a lead was given to an order or a replacement whose turn it was not (DLV-7)',
  bonusWrong: 'an order or a renewal has another number of leads or bonus leads than it should have (LOY-2 … LOY-4)',
  renewalOutOfTurn: 'a renewal came before its date, while held, unpaid, twice or before an earlier one (LOY-1, LOY-5)',
  renewalMissing:
    'a renewal of an active programme is a day late or more and does not wait for an operator, or was paid and did not re-open its order (LOY-1, LOY-10)',
  renewalChargedLate:
    'a renewal was charged later after its date than the policy allows, without the word of an operator (LOY-10)',
  checkoutNotKept:
    'the order of a checkout has another total than the checkout, or is missing a day after it was placed (CHK-1)',
  quoteNotKept:
    'the order of a checkout has other terms than the checkout showed, or another amount was captured (CHK-5)',
  refundTooHigh: 'more of a payment was given back than was captured, or a refund was made twice (CHK-6)',
  paymentTwice: 'one payment of the provider is recorded as the payment of two orders or renewals (CHK-6)',
  refundMissing: 'money was captured too late a day ago or longer, and is not to be given back (CHK-6)',
  notOffered:
    'a lead type or a coupon was sold that was retired, or a lead type in Loyalty Rewards that did not qualify (CAT-4, CAT-5)',
  receiptWrong:
    'a receipt has not the next number of its store, is of nothing or the second one, or its lines or taxes do not fit (CHK-8)',
  receiptMissing: 'money was captured or given back a day ago or longer, and has no receipt (CHK-8)',
  couponUsedTwice: 'a coupon was used by a customer twice, or by more customers than its limit allows (CPN-2, CPN-5)',
  couponGivenAgain:
    'a customer was given another code in place of one whose discount a paid order has, or two in place of one (CPN-4)',
  couponInOtherCurrency: 'an amount in one currency was taken off a price in another (CPN-3)',
  mailMissing:
    'a mail was tried for more than five days and has no result, was given up earlier, or was not tried again when it was time (NTF-4)',
  mailTwice: 'two mails are about one event, or a mail has two results, or was tried after its result (NTF-3)',
  basisNotThere: 'an event was decided on events that the log did not have when it was recorded',
  revisionGap: 'an event does not follow the one before it in its stream',
  hashMismatch: 'the bytes of an event are not those that were written',
  idTwice: 'two events have one id',
  datedOtherwise: 'an event says another time than that for which it was decided',
  faultInStore: 'the records of the store contradict each other: a stream, or a position',
  unreadable: 'an event cannot be read, or lacks data that events of its type must have',
} as const;

interface CheckOptions {
  /** The hash that an event must have. Events without a hash are not checked. */
  readonly hashOf: (event: RecordedEvent) => Uint8Array;
  /** The newest version of events of a type in a stream that this program knows: 0 for events that do not belong there. */
  readonly newestVersionOf?: (stream: string, type: string) => number;
  /** Opens the box with the name of a business; undefined when it cannot be opened. Without it, only keys are compared. */
  readonly nameIn?: (box: object) => Promise<string | undefined>;
  /** Called from time to time with the number of events read. */
  readonly onProgress?: (events: number) => void;
  readonly signal?: AbortSignal;
}

/** Reads the whole log once. Memory grows with the number of leads and orders, not with the number of events. */
export async function checkLaws(
  store: Pick<EventStore, 'readAll' | 'faults'>,
  options: CheckOptions,
): Promise<Verdict> {
  const audit = new Audit(options);
  let events = 0;
  let head = '';
  for await (const recorded of store.readAll(options.signal ? { signal: options.signal } : {})) {
    events += 1;
    head = recorded.position;
    audit.check(recorded, options.nameIn && (await openedName(recorded, options.nameIn)));
    if (events % 10_000 === 0) options.onProgress?.(events);
  }
  audit.checkEnd();
  for (const repeated of await audit.ids.repeated(store, head)) audit.findings.addNamed('idTwice', repeated);
  for (const fault of (await store.faults?.()) ?? []) audit.findings.addNamed('faultInStore', fault);
  options.onProgress?.(events);
  const { counts, examples } = audit.findings;
  const { judged, passedOver } = audit.turns;
  const clocks = audit.clocks.found();
  return { laws: counts, examples, events, clocks, decisions: { judged, passedOver }, head };
}

const statesBusiness: ReadonlySet<string> = new Set(['CustomerRegistered', 'BusinessAssociationChanged']);

/** What cannot be read is a finding later. */
async function openedName(
  recorded: RecordedEvent,
  nameIn: (box: object) => Promise<string | undefined>,
): Promise<string | undefined> {
  if (!statesBusiness.has(recorded.type)) return undefined;
  try {
    const { businessAssociation } = dataOf(recorded) as { businessAssociation?: unknown };
    return typeof businessAssociation === 'object' && businessAssociation
      ? await nameIn(businessAssociation)
      : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}

/** One pass over a log. */
class Audit {
  readonly findings = new Findings();
  readonly ids = new EventIdCheck();
  readonly clocks = new ClockCheck();
  readonly #eventsSeen = new EventsSeen();
  readonly turns = new TurnCheck(this.#eventsSeen);
  readonly #books = new Books(this.#eventsSeen);
  readonly #renewals = new RenewalCheck();
  readonly #refunds = new RefundCheck();
  readonly #receipts = new ReceiptCheck();
  readonly #once = new OnceCheck();
  readonly #checkouts = new CheckoutCheck();
  readonly #coupons = new CouponCheck();
  readonly #catalogue = new CatalogueCheck();
  readonly #revisions = new RevisionCheck();
  readonly #hashOf: CheckOptions['hashOf'];
  readonly #newestVersionOf: CheckOptions['newestVersionOf'];

  constructor({ hashOf, newestVersionOf }: CheckOptions) {
    this.#hashOf = hashOf;
    this.#newestVersionOf = newestVersionOf;
  }

  check(recorded: RecordedEvent, openedName?: string): void {
    const ordinal = this.#eventsSeen.count(recorded.position);
    this.ids.take(recorded);
    if (!this.#revisions.follows(recorded)) this.findings.add('revisionGap', recorded);
    if (recorded.hash && Buffer.compare(recorded.hash, this.#hashOf(recorded)) !== 0)
      this.findings.add('hashMismatch', recorded);
    if (!this.#canBeRead(recorded, ordinal, openedName)) this.findings.add('unreadable', recorded);
  }

  /** Checks also what an event in a wrong form says, so that it does not hide what comes later. */
  #canBeRead(recorded: RecordedEvent, ordinal: number, openedName: string | undefined): boolean {
    try {
      const event = { ...parseRaw(recorded, ordinal), openedName };
      this.clocks.take(event, recorded);
      if (!this.#hadBasis(event)) this.findings.add('basisNotThere', event);
      if (!isDatedAsDecided(event)) this.findings.add('datedOtherwise', event);
      this.#checkContents(event);
      return this.#hasItsForm(event);
    } catch (error) {
      // A damaged payload is a finding, and the rest of the log is still checked.
      if (!(error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError)) throw error;
      return false;
    }
  }

  #hasItsForm({ stream, type, data, cause }: RawEvent): boolean {
    const newest = this.#newestVersionOf?.(stream, type) ?? Number.POSITIVE_INFINITY;
    const { schemaVersion = 1 } = cause;
    return (
      isCause(cause) && Number(schemaVersion) <= newest && (data.decision === undefined || isDecision(data.decision))
    );
  }

  /** What was read for a decision is in the log before it. */
  #hadBasis({ data: { decision }, cause, ordinal }: RawEvent): boolean {
    const { basis = {}, eventsSeen = 0 } = cause;
    return (
      Number(eventsSeen) < ordinal &&
      Object.entries(basis as object).every(([name, revision]) => this.#revisions.reached(name, revision)) &&
      (decision === undefined || this.#couldDecide(decision, ordinal))
    );
  }

  #couldDecide({ eventsSeen = 0, policyVersion }: RawEvent['data'], ordinal: number): boolean {
    return couldSee(eventsSeen, ordinal) && this.#books.policies.get(policyVersion) !== undefined;
  }

  #checkContents(event: RawEvent): void {
    for (const law of brokenBy(event, this.#books)) this.findings.add(law, event);
    this.#books.record(event);
    this.turns.take(event);
    for (const law of this.#renewals.take(event)) this.findings.add(law, event);
    for (const law of this.#refunds.take(event)) this.findings.add(law, event);
    for (const law of this.#receipts.take(event)) this.findings.add(law, event);
    for (const law of this.#once.take(event)) this.findings.add(law, event);
    for (const law of this.#checkouts.take(event)) this.findings.add(law, event);
    for (const law of this.#coupons.take(event)) this.findings.add(law, event);
    for (const law of this.#catalogue.take(event)) this.findings.add(law, event);
  }

  /** What is missing at the end of the log, by its own clock. */
  checkEnd(): void {
    const { now } = this.clocks;
    for (const event of missingReplacements(this.#books, now)) this.findings.add('replacementMissing', event);
    for (const event of this.turns.unfair()) this.findings.add('winnerNotFirst', event);
    for (const event of this.#renewals.missing(now)) this.findings.add('renewalMissing', event);
    for (const event of this.#refunds.missing(now)) this.findings.add('refundMissing', event);
    for (const event of this.#receipts.missing(now)) this.findings.add('receiptMissing', event);
    for (const event of this.#once.unsent(now)) this.findings.add('mailMissing', event);
    for (const event of this.#checkouts.withoutOrder(now)) this.findings.add('checkoutNotKept', event);
  }
}

class Findings {
  readonly counts = Object.fromEntries(Object.keys(laws).map((law) => [law, 0])) as Record<Law, number>;
  readonly examples: Partial<Record<Law, string[]>> = {};

  add(law: Law, event: { stream: string; revision: number }): void {
    this.addNamed(law, nameOf(event));
  }

  addNamed(law: Law, name: string): void {
    this.counts[law] += 1;
    const examples = this.examples[law] ?? [];
    if (examples.length < EXAMPLES_PER_LAW) this.examples[law] = [...examples, name];
  }
}

/** The laws that an event breaks, according to the books just before it. */
function brokenBy(event: RawEvent, books: Books): readonly Law[] {
  switch (event.type) {
    case 'LeadDelivered': {
      const delivery = deliveryIn(books, event);
      const broken = deliveryLaws.filter(([, breaks]) => breaks(delivery)).map(([law]) => law);
      return keepsItsPromise(event, books) ? broken : [...broken, 'returnWindowWrong'];
    }
    case 'LeadReceived':
      return isSuppressed(event, books) ? ['suppressedSold'] : [];
    case 'LeadAssigned':
      return [
        ...(books.lead(event.id).withdrawn ? (['deliveredAfterWithdrawal'] as const) : []),
        ...(isSuppressed(event, books) ? (['suppressedSold'] as const) : []),
      ];
    case 'ChargebackGranted':
      return mayBeGranted(event, books) ? [] : ['returnGrantedOutsideWindow'];
    case 'VerdictCorrected':
      return event.data.verdict !== 'granted' || mayBeGranted(event, books) ? [] : ['returnGrantedOutsideWindow'];
    default:
      return [];
  }
}

const isSuppressed = ({ data: { telephoneKey, emailKey } }: RawEvent, { suppressed }: Books): boolean =>
  [telephoneKey, emailKey].some((key) => suppressed.has(key));

const deliveryLaws: readonly (readonly [Law, (delivery: DeliveryCase) => boolean])[] = [
  ['exclusiveToSeveral', ({ lead, order }) => lead.exclusive && customersBesides(order, lead) >= lead.maximumCustomers],
  ['sharedToTooMany', ({ lead, order }) => !lead.exclusive && customersBesides(order, lead) >= lead.maximumCustomers],
  [
    'sameBusinessTwice',
    ({ lead, businessStated, businessKnown, businesses, seen }) =>
      lead.deliveries.some(
        (earlier) =>
          businesses.areSame(earlier.businessStated, businessStated, seen) ||
          businesses.areSame(earlier.businessKnown, businessKnown, seen),
      ),
  ],
  ['samePersonTwice', ({ lead, customer }) => personsIn(lead).some((person) => customer.persons.has(person))],
  [
    'personSoldAgain',
    ({ lead, soldBefore }) =>
      lead.isDuplicate || soldBefore.some((other) => other !== lead && hasPersonStill(other, lead)),
  ],
  [
    'aboveDailyMaximum',
    ({ order, localDay, replaces }) =>
      !replaces && order.dailyMaximum !== undefined && (order.leadsByDay.get(localDay) ?? 0) >= order.dailyMaximum,
  ],
  [
    'deliveredWhileNotOpen',
    ({ order, replaces }) => order.status !== 'open' && !(replaces && receivesReplacements.has(order.status)),
  ],
  ['deliveredTooMany', ({ order, replaces }) => !replaces && order.leadsDelivered >= order.leadsOrdered],
];

/** Whether a lead that was sold still counts when the person comes again as a new lead. */
const hasPersonStill = (sold: LeadEntry, { exclusive, receivedAt, sharedPersonWindow }: LeadEntry): boolean =>
  !sold.returned &&
  (sold.exclusive ||
    exclusive ||
    sharedPersonWindow === undefined ||
    sold.lastAssigned + sharedPersonWindow > receivedAt);

/** Filled and cancelled orders still receive replacements (RPL-6, RPL-9). */
const receivesReplacements: ReadonlySet<OrderEntry['status']> = new Set(['open', 'filled', 'cancelled']);

const customersBesides = ({ customerId }: OrderEntry, lead: LeadEntry): number =>
  new Set(lead.deliveries.map(({ order }) => order.customerId).filter((other) => other !== customerId)).size;

/** RPL-2: a delivery promises the window of the policy by which it was decided. Older deliveries promise nothing. */
function keepsItsPromise({ data: { at, returnableUntil, decision } }: RawEvent, books: Books): boolean {
  if (returnableUntil === undefined) return true;
  const policy = books.policies.get(decision?.policyVersion);
  return policy !== undefined && Date.parse(returnableUntil) === Math.trunc(Date.parse(at) + policy.returnWindow);
}

/**
 * Judged by the receipt in the log, the window promised with it, and the policy version that the return cites. A verdict
 * names the reason of one of the requests.
 */
function mayBeGranted({ id, data }: RawEvent, books: Books): boolean {
  const returned = books.returns.get(id);
  const request = returned?.requests.findLast(({ reason }) => data.reason === undefined || data.reason === reason);
  const delivery = returned?.lead.deliveries.find(({ order }) => order === returned.order);
  const policy = request && books.policyCited(request.policyVersion, request.requestedAt);
  if (!request || !delivery || !policy) return false;
  const decidedBy = books.policies.get(delivery.policyVersion);
  const promised = delivery.returnableUntil ?? delivery.receivedAt + (decidedBy ?? policy).returnWindow;
  // An older version of the program judged by the policy of the request.
  const until = request.returnableUntil === undefined ? delivery.receivedAt + policy.returnWindow : promised;
  return request.requestedAt <= until && policy.approvedReturnReasons.includes(request.reason);
}

/**
 * RPL-6, judged at the end of the log: a debt, and a lead that could settle it, both unchanged for a day by the log's own
 * clock. Before that the debt may be about to be settled, because a log may end anywhere.
 */
function missingReplacements(books: Books, now: number): readonly RawEvent[] {
  const since = now - DAY;
  if (books.businesses.lastTakenBack > since) return [];
  const debts = [...books.returns.values()].filter(
    (entry) => isOwedSince(since, entry) && !books.erased.has(entry.order.customerId),
  );
  if (debts.length === 0) return [];
  const stock = Map.groupBy(
    [...books.leads.values()].filter((lead) => isAvailable(lead) && lead.lastOffered <= since),
    ({ leadTypeId }) => leadTypeId,
  );
  return debts.flatMap(({ grant, order }) => {
    const business = books.customer(order.customerId).businesses.at(-1);
    if (!grant || (business && business.since > since)) return [];
    return stock.get(order.leadTypeId)?.some((lead) => suits(lead, order, books)) ? [grant.event] : [];
  });
}

const isOwedSince = (since: number, { grant, replaced, order }: ReturnEntry): boolean =>
  grant !== undefined && !replaced && order.status !== 'paused' && Math.max(grant.at, order.lastRestarted) <= since;

/** Whether an order's customer may have a lead: not its person, not its business, not the lead itself twice. */
function suits(lead: LeadEntry, { customerId }: OrderEntry, books: Books): boolean {
  const { businesses, persons } = books.customer(customerId);
  const business = businesses.at(-1)?.business;
  const isMine = (holder: LeadEntry['holders'][number]) =>
    holder.order.customerId === customerId || books.businesses.areSame(holder.business, business);
  return (
    !lead.closedTo.includes(customerId) &&
    !lead.holders.some(isMine) &&
    !personsIn(lead).some((person) => persons.has(person))
  );
}

const isAvailable = ({ withdrawn, holders, maximumCustomers }: LeadEntry): boolean =>
  !withdrawn && holders.length < maximumCustomers;
