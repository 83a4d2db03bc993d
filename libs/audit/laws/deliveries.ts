import {
  type Books,
  DAY,
  type DeliveryCase,
  deliveryIn,
  type LeadEntry,
  type OrderEntry,
  personsIn,
  type ReturnEntry,
} from './books.ts';
import type { Law } from './laws.ts';
import type { RawEvent } from './raw-log.ts';

/** The laws that an event breaks, according to the books just before it. */
export function brokenBy(event: RawEvent, books: Books): readonly Law[] {
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
export function missingReplacements(books: Books, now: number): readonly RawEvent[] {
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
