import { dayIn, type RawEvent } from './raw-log.ts';

/** A claim to the next lead: of an order, or of one replacement that is owed. */
export interface Claim {
  readonly id: string;
  readonly order: OrderInLine;
  /** Sorts claims by turn. For an order: as if it had kept every lead that it gave back. */
  rank: string;
  /** The rank at which it waits; undefined while it does not wait. */
  waitsAt: string | undefined;
  /** Leads that are assigned but not delivered yet, each with the key of its decision. */
  readonly underWay: Map<string, string>;
}

export interface OrderInLine {
  /** Its claim to leads. Each replacement that it is owed is a separate claim. */
  claim: Claim;
  readonly debts: Set<Claim>;
  readonly customerId: string;
  readonly leadTypeId: string;
  timeZone: string;
  dailyMaximum: number | undefined;
  /** In the first order and all renewals. */
  leadsOrdered: number;
  readonly placedAt: string;
  status: 'awaiting payment' | 'open' | 'paused' | 'filled' | 'closed';
  leadsDelivered: number;
  /** The latest local day with a delivery, and the deliveries on it. A clock that was set back does not start a day again. */
  latestDay: string;
  leadsOnLatestDay: number;
  /** The keys of the last decision that served it, and of the last one whose lead it received. */
  lastServed: string;
  lastDelivered: string;
}

export const claimIdOf = ({ data }: RawEvent): string => data.replacementFor ?? data.orderId;

/** Debts come before orders, the oldest first. */
export const rankOfDebt = (owedSince: string, id: string): string => `0 ${owedSince} ${id}`;
/** Orders never served come first, then by the decision that served them last, then by age, then by id. */
export const rankOfOrder = (served: string, placedAt: string, id: string): string => `1 ${served} ${placedAt} ${id}`;

/** Sorts decisions in the order in which they were made, whatever the clock was. Those that name a position are the older ones. */
export function keyOf({ decidedOn, eventsSeen, decisionIndex }: RawEvent['data']): string {
  const seen = eventsSeen === undefined ? `0 ${decidedOn}` : `1 ${String(eventsSeen).padStart(16, '0')}`;
  return `${seen} ${String(decisionIndex).padStart(9, '0')}`;
}

export const later = (a: string, b: string): string => (a > b ? a : b);

/** The rank of a claim, counting only leads that it has or is about to receive. */
export function lowestRank({ id, order, rank, underWay }: Claim): string {
  if (order.claim.id !== id) return rank;
  return rankOfOrder([...underWay.values()].reduce(later, order.lastDelivered), order.placedAt, id);
}

export function canBeMet(claim: Claim, now: string): boolean {
  const { order, underWay } = claim;
  if (order.claim !== claim) return order.debts.has(claim) && underWay.size === 0 && order.status !== 'paused';
  return order.status === 'open' && order.leadsDelivered + underWay.size < order.leadsOrdered && !isFull(order, now);
}

export function isFull(
  { claim, dailyMaximum, timeZone, latestDay, leadsOnLatestDay }: OrderInLine,
  now: string,
): boolean {
  if (dailyMaximum === undefined) return false;
  const deliveredToday = dayIn(timeZone, now) > latestDay ? 0 : leadsOnLatestDay;
  return deliveredToday + claim.underWay.size >= dailyMaximum;
}
