import type { EventStore, RecordedEvent } from '#event-store/port';
import { Books, DAY, type DeliveryCase, deliveryIn, type Lead, type Order, personsIn } from './books.ts';
import { OnceCheck } from './once.ts';
import { nameOf, parseRaw, type RawEvent, RevisionCheck } from './raw-log.ts';
import { RenewalCheck } from './renewals.ts';
import { TurnCheck } from './turns.ts';

/**
 * What must never be found in a log. Each law counts the events that break it, in one pass over the raw log. Nothing is
 * asked of those who wrote it: not the deciders, not the codec, not the rules of the domain.
 */
export interface Verdict {
  /** Law → how often it was broken. A sound log has nothing but zeros. */
  readonly laws: Readonly<Record<Law, number>>;
  /** The first events that broke each broken law, as `stream@revision`. */
  readonly examples: Readonly<Partial<Record<Law, readonly string[]>>>;
  readonly events: number;
  /** Assignments whose winner was found again, and those of which the log does not tell enough. */
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
  samePersonTwice: 'a customer was given a person again (DLV-4)',
  aboveDailyMaximum: 'an order was given more than its maximum on a local day (DLV-5)',
  deliveredWhileNotOpen:
    'an order was given a lead while it was not open, or a replacement while paused (ORD-1, ORD-2)',
  deliveredTooMany: 'an order was given more than ordered and bonus leads, replacements aside (ORD-6)',
  deliveredAfterWithdrawal: 'a lead was assigned after it had been withdrawn (DLV-10)',
  returnGrantedOutsideWindow:
    'a return was granted that was asked for too late or without an approved reason (RPL-2, RPL-3)',
  replacementMissing: 'a return was granted a day ago or longer, and suitable stock lay unused ever since (RPL-6)',
  winnerNotFirst: 'a lead was given to somebody whose turn it was not (DLV-7)',
  bonusWrong: 'an order or a renewal came with other leads than its number and the pauses before give (LOY-2 … LOY-4)',
  renewalOutOfTurn: 'a renewal came before its date, while held, unpaid, twice or before the one before (LOY-1, LOY-5)',
  renewalMissing: 'a renewal of an active programme is a day late or longer, or was paid and not delivered (LOY-1)',
  couponUsedTwice: 'a coupon was used by a customer twice, or by more customers than its limit allows (CPN-2, CPN-5)',
  mailMissing: 'a mail was wished a day ago or longer, and nothing says what became of it (NTF-3)',
  mailTwice: 'an event was told of twice, or a mail ended twice (NTF-3)',
  revisionGap: 'an event does not follow the one before it in its stream',
  hashMismatch: 'an event is not what was written',
  unreadable: 'an event cannot be read, or does not say what events of its type must say',
} as const;

export interface CheckOptions {
  /** The hash that an event ought to carry; events without one are not checked. */
  readonly hashOf: (event: RecordedEvent) => Uint8Array;
  /** Called now and then with the number of events read. */
  readonly onProgress?: (events: number) => void;
  readonly signal?: AbortSignal;
}

/** Reads the whole log once. Memory grows with the number of leads and orders, not with that of events. */
export async function checkLaws(store: Pick<EventStore, 'readAll'>, options: CheckOptions): Promise<Verdict> {
  const findings = new Findings();
  const books = new Books();
  const turns = new TurnCheck();
  const renewals = new RenewalCheck();
  const once = new OnceCheck();
  const revisions = new RevisionCheck();
  let events = 0;
  let head = '';
  for await (const recorded of store.readAll(options.signal ? { signal: options.signal } : {})) {
    events += 1;
    head = recorded.position;
    if (!revisions.follows(recorded)) findings.add('revisionGap', recorded);
    if (recorded.hash && Buffer.compare(recorded.hash, options.hashOf(recorded)) !== 0)
      findings.add('hashMismatch', recorded);
    judge(recorded, { books, turns, renewals, once }, findings);
    if (events % 10_000 === 0) options.onProgress?.(events);
  }
  findMissingReplacements(books, findings);
  for (const event of turns.unfair()) findings.add('winnerNotFirst', event);
  for (const event of renewals.missing()) findings.add('renewalMissing', event);
  for (const event of once.unsent()) findings.add('mailMissing', event);
  options.onProgress?.(events);
  const { judged, passedOver } = turns;
  return { laws: findings.counts, examples: findings.examples, events, decisions: { judged, passedOver }, head };
}

class Findings {
  readonly counts = Object.fromEntries(Object.keys(laws).map((law) => [law, 0])) as Record<Law, number>;
  readonly examples: Partial<Record<Law, string[]>> = {};

  add(law: Law, event: { stream: string; revision: number }): void {
    this.counts[law] += 1;
    const examples = this.examples[law] ?? [];
    if (examples.length < EXAMPLES_PER_LAW) this.examples[law] = [...examples, nameOf(event)];
  }
}

interface Auditors {
  readonly books: Books;
  readonly turns: TurnCheck;
  readonly renewals: RenewalCheck;
  readonly once: OnceCheck;
}

function judge(recorded: RecordedEvent, { books, turns, renewals, once }: Auditors, findings: Findings): void {
  try {
    const event = parseRaw(recorded);
    for (const law of brokenBy(event, books)) findings.add(law, event);
    books.takeDown(event);
    turns.take(event);
    for (const law of renewals.take(event)) findings.add(law, event);
    for (const law of once.take(event)) findings.add(law, event);
  } catch (error) {
    // A damaged payload is a finding like any other; the rest of the log is still worth reading.
    if (!(error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError)) throw error;
    findings.add('unreadable', recorded);
  }
}

/** The laws that an event breaks, given what the books say just before it. */
function brokenBy(event: RawEvent, books: Books): readonly Law[] {
  switch (event.type) {
    case 'LeadDelivered': {
      const delivery = deliveryIn(books, event);
      return deliveryLaws.filter(([, breaks]) => breaks(delivery)).map(([law]) => law);
    }
    case 'LeadAssigned':
      return books.lead(event.id).withdrawn ? ['deliveredAfterWithdrawal'] : [];
    case 'ChargebackGranted':
      return mayBeGranted(event, books) ? [] : ['returnGrantedOutsideWindow'];
    default:
      return [];
  }
}

const deliveryLaws: readonly (readonly [Law, (delivery: DeliveryCase) => boolean])[] = [
  ['exclusiveToSeveral', ({ lead, order }) => lead.exclusive && customersBesides(order, lead) >= lead.maximumCustomers],
  ['sharedToTooMany', ({ lead, order }) => !lead.exclusive && customersBesides(order, lead) >= lead.maximumCustomers],
  [
    'sameBusinessTwice',
    ({ lead, businessStated, businessKnown }) =>
      lead.deliveries.some(
        (earlier) => earlier.businessStated === businessStated || earlier.businessKnown === businessKnown,
      ),
  ],
  ['samePersonTwice', ({ lead, customer }) => personsIn(lead).some((person) => customer.persons.has(person))],
  [
    'aboveDailyMaximum',
    ({ order, localDay, replaces }) =>
      !replaces && order.dailyMaximum !== undefined && (order.leadsByDay.get(localDay) ?? 0) >= order.dailyMaximum,
  ],
  [
    'deliveredWhileNotOpen',
    ({ order, replaces }) => order.status !== 'open' && !(replaces && isReplacedWhen.has(order.status)),
  ],
  ['deliveredTooMany', ({ order, replaces }) => !replaces && order.leadsDelivered >= order.leadsOrdered],
];

/** Filled and cancelled orders still get what they are owed (RPL-6, RPL-9). */
const isReplacedWhen: ReadonlySet<Order['status']> = new Set(['open', 'filled', 'cancelled']);

const customersBesides = ({ customerId }: Order, lead: Lead): number =>
  new Set(lead.deliveries.map(({ order }) => order.customerId).filter((other) => other !== customerId)).size;

/** Judged by the receipt in the log and the policy version that the request cites. */
function mayBeGranted({ id }: RawEvent, books: Books): boolean {
  const returned = books.returns.get(id);
  if (!returned) return false;
  const { lead, order, reason, requestedAt, policyVersion } = returned;
  const receivedAt = lead.deliveries.find((delivery) => delivery.order === order)?.receivedAt;
  const policy = books.policyCited(policyVersion, requestedAt);
  if (receivedAt === undefined || !policy) return false;
  return requestedAt <= receivedAt + policy.returnWindow && policy.approvedReturnReasons.includes(reason);
}

/**
 * RPL-6, judged at the end of the log and only of what had come to rest: a debt and a lead that could pay it, both as
 * they are for a day by the log's own clock. Before that, somebody may be about to pay; a log may end anywhere.
 */
function findMissingReplacements(books: Books, findings: Findings): void {
  const restingSince = books.now - DAY;
  const debts = [...books.returns.values()].filter(
    ({ grant, replaced, order }) =>
      grant && !replaced && order.status !== 'paused' && Math.max(grant.at, order.lastRestarted) <= restingSince,
  );
  if (debts.length === 0) return;
  const stock = Map.groupBy(
    [...books.leads.values()].filter((lead) => isAvailable(lead) && lead.lastOffered <= restingSince),
    ({ leadTypeId }) => leadTypeId,
  );
  for (const { grant, order } of debts) {
    const customer = books.customer(order.customerId);
    const business = customer.businesses.at(-1);
    if (business && business.since > restingSince) continue;
    const suits = (lead: Lead) =>
      !lead.closedTo.includes(order.customerId) &&
      !lead.holders.some(
        (holder) => holder.order.customerId === order.customerId || holder.business === business?.name,
      ) &&
      !personsIn(lead).some((person) => customer.persons.has(person));
    if (grant && stock.get(order.leadTypeId)?.some(suits)) findings.add('replacementMissing', grant.event);
  }
}

const isAvailable = ({ withdrawn, holders, maximumCustomers }: Lead): boolean =>
  !withdrawn && holders.length < maximumCustomers;
