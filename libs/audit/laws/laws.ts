import type { EventStore, RecordedEvent } from '#event-store/port';
import { Books } from './books.ts';
import { CatalogueCheck } from './catalogue.ts';
import { CheckoutCheck } from './checkouts.ts';
import { ClockCheck, type ClocksFound, isDatedAsDecided } from './clocks.ts';
import { CouponCheck } from './coupons.ts';
import { brokenBy, missingReplacements } from './deliveries.ts';
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
  mailTwice:
    'two mails to one person are about one event, or a mail has two results, or was tried after its result (NTF-3)',
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
