import { type Claim, canBeMet, isFull } from './claims.ts';
import { dayIn } from './raw-log.ts';

/**
 * The claims to one lead type, by rank. Its entries may be out of date: that is noticed when they come first.
 */
export class WaitingLine {
  readonly #entries = new RankHeap();
  /** Claims of orders that have reached their daily maximum: time zone → the day there, and the claims that wait for the next. */
  readonly #asleep = new Map<string, { readonly day: string; readonly claims: Set<Claim> }>();

  add(claim: Claim): void {
    if (claim.waitsAt === claim.rank) return;
    claim.waitsAt = claim.rank;
    this.#entries.push({ rank: claim.rank, claim });
  }

  /** A claim of a lower rank that can be met and may have the lead. Claims that cannot be met leave the line. */
  firstBefore(rank: string, now: string, mayHave: (claim: Claim) => boolean): Claim | undefined {
    this.#wake(now);
    const passed: Entry[] = [];
    let found: Claim | undefined;
    while (!found) {
      const entry = this.#nextBefore(rank);
      if (!entry) break;
      const { claim } = entry;
      if (claim.waitsAt !== entry.rank || !this.#staysInLine(claim, now)) continue;
      passed.push(entry);
      if (mayHave(claim)) found = claim;
    }
    for (const entry of passed) this.#entries.push(entry);
    return found;
  }

  #nextBefore(rank: string): Entry | undefined {
    const { first } = this.#entries;
    if (!first || first.rank >= rank) return undefined;
    this.#entries.shift();
    return first;
  }

  #staysInLine(claim: Claim, now: string): boolean {
    if (canBeMet(claim, now)) return true;
    claim.waitsAt = undefined;
    if (claim.order.claim === claim && isFull(claim.order, now)) this.#sleep(claim, now);
    return false;
  }

  #sleep(claim: Claim, now: string): void {
    const { timeZone } = claim.order;
    const sleepers = this.#asleep.get(timeZone) ?? { day: dayIn(timeZone, now), claims: new Set() };
    this.#asleep.set(timeZone, sleepers);
    sleepers.claims.add(claim);
  }

  #wake(now: string): void {
    for (const [timeZone, { day, claims }] of this.#asleep) {
      if (dayIn(timeZone, now) <= day) continue;
      this.#asleep.delete(timeZone);
      for (const claim of claims) this.add(claim);
    }
  }
}

interface Entry {
  readonly rank: string;
  readonly claim: Claim;
}

/** A binary heap: the entry of the lowest rank is first. */
class RankHeap {
  readonly #entries: Entry[] = [];

  get first(): Entry | undefined {
    return this.#entries[0];
  }

  push(entry: Entry): void {
    const entries = this.#entries;
    let index = entries.push(entry) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = entries[parent];
      if (!above || above.rank <= entry.rank) break;
      entries[index] = above;
      index = parent;
    }
    entries[index] = entry;
  }

  shift(): void {
    const entries = this.#entries;
    const last = entries.pop();
    if (!last || entries.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      const left = entries[child];
      const right = entries[child + 1];
      if (!left) break;
      if (right && right.rank < left.rank) child += 1;
      const below = entries[child];
      if (!below || below.rank >= last.rank) break;
      entries[index] = below;
      index = child;
    }
    entries[index] = last;
  }
}
