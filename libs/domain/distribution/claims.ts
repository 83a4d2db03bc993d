import type { Instant } from '../kernel/events.ts';
import { type Heap, type HeapItem, heapOf } from '../kernel/heap.ts';
import { compareText } from '../kernel/text.ts';
import type { DistributionDecision } from './decision.ts';

/** The claim of one order to its next lead, or of one replacement that is owed. It is for leads of one type. */
export interface Claim extends HeapItem {
  readonly kind: 'replacement' | 'order';
  /** The replacement's id, or the order's. */
  readonly id: string;
  readonly orderId: string;
  readonly customerId: string;
  readonly leadTypeId: string;
  businessKey: string;
  /** When the replacement began to be owed, or the order was placed. */
  readonly since: Instant;
  /** The last decision that gave the order a lead, as {@link servedKey}; empty when there was none. */
  lastServed: string;
}

/** DLV-7: replacements first, the oldest first; then the order served longest ago; ties by age, then by id. */
export function compareClaims(a: Claim, b: Claim): number {
  if (a.kind !== b.kind) return a.kind === 'replacement' ? -1 : 1;
  return compareText(a.lastServed, b.lastServed) || compareText(a.since, b.since) || compareText(a.id, b.id);
}

/** A key that sorts decisions by what they had seen, because a clock may be set back. It ends with the instant. */
export const servedKey = ({ decidedAt, decisionIndex, ...decision }: DistributionDecision): string =>
  `${seenBy(decision)} ${String(decisionIndex).padStart(6, '0')} ${decidedAt}`;

/** Decisions that name a position are older than all that name a number of events. */
const seenBy = ({ decidedOn = '', eventsSeen }: Pick<DistributionDecision, 'decidedOn' | 'eventsSeen'>): string =>
  eventsSeen === undefined ? `0 ${decidedOn}` : `1 ${String(eventsSeen).padStart(16, '0')}`;

/** The rule and the rank that are recorded with a decision (DLV-8). */
export function rankOf(claim: Claim): Pick<DistributionDecision, 'rule' | 'rank'> {
  if (claim.kind === 'replacement') return { rule: 'replacement-owed-longest', rank: { owedSince: claim.since } };
  const { lastServed, since: placedAt } = claim;
  const lastServedAt = lastServed.split(' ').at(-1);
  return { rule: 'order-served-longest-ago', rank: { ...(lastServedAt && { lastServedAt }), placedAt } };
}

/** The claims of one business. */
interface Queue extends HeapItem {
  readonly businessKey: string;
  readonly claims: Heap<Claim>;
}

/**
 * The claims on one lead type that can be met now, grouped by business: a shared lead skips a whole business at once
 * (DLV-3), however many of its customers wait.
 */
export class ClaimBook {
  readonly #queues = new Map<string, Queue>();
  readonly #heads = heapOf<Queue>((a, b) => compareClaims(a.claims.first() as Claim, b.claims.first() as Claim));

  /** Adds a claim, or moves it to its new rank. */
  put(claim: Claim): void {
    let queue = this.#queues.get(claim.businessKey);
    if (!queue) {
      queue = { businessKey: claim.businessKey, claims: heapOf(compareClaims), heapIndex: -1 };
      this.#queues.set(claim.businessKey, queue);
    }
    queue.claims.put(claim);
    this.#heads.put(queue);
  }

  remove(claim: Claim): void {
    const queue = this.#queues.get(claim.businessKey);
    if (!queue || claim.heapIndex < 0) return;
    // First the queue, then the claim: the heap of queues cannot compare an empty queue.
    this.#heads.remove(queue);
    queue.claims.remove(claim);
    if (queue.claims.size > 0) this.#heads.put(queue);
    else this.#queues.delete(queue.businessKey);
  }

  /** The first claim for a lead that must go neither to these businesses nor to these customers. */
  first(excluded: { businesses: readonly string[]; customers: readonly string[] }): Claim | undefined {
    const queuesAside: Queue[] = [];
    const claimsAside: Claim[] = [];
    let winner: Claim | undefined;
    for (let queue = this.#heads.first(); queue && !winner; queue = this.#heads.first()) {
      const claim = queue.claims.first() as Claim;
      if (excluded.businesses.includes(queue.businessKey)) {
        this.#heads.remove(queue);
        queuesAside.push(queue);
      } else if (excluded.customers.includes(claim.customerId)) {
        this.remove(claim);
        claimsAside.push(claim);
      } else winner = claim;
    }
    for (const queue of queuesAside) this.#heads.put(queue);
    for (const claim of claimsAside) this.put(claim);
    return winner;
  }
}
