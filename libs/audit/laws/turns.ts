import { claimIdOf } from './claims.ts';
import type { RawEvent } from './raw-log.ts';
import { changes, TurnBook } from './turn-book.ts';

/**
 * Repeats each decision about who receives a lead (DLV-7), from the log alone. A decision names the position of the log
 * at which it was made, and its index among the decisions made there. So the book is kept as it was at that position,
 * while reading is further ahead: events wait in a queue until a later decision shows that they had been seen.
 *
 * Some decisions cannot be repeated and are passed over: those after a decision that had no effect (its index is
 * missing, and the log does not say who would have been served), and those that were written after later decisions. An
 * order that gave a lead back counts as not served when it is the winner, and as served when it is compared with the
 * winner: either error would accuse a fair decision.
 */
export class TurnCheck {
  judged = 0;
  passedOver = 0;
  readonly #book = new TurnBook();
  /** Events that were read, but perhaps not yet seen by the decisions that are being judged. */
  #queue: RawEvent[] = [];
  /** The decisions made at one position, and those that the book has noted before their place in the log. */
  #decidedOn = '';
  #decisions: RawEvent[] = [];
  readonly #noted = new Set<RawEvent>();
  #overtaken: { readonly event: RawEvent; readonly ahead: string; readonly decidedOn: string }[] = [];

  /** Must receive all events in the order of the log. */
  take(event: RawEvent): void {
    if (!Object.hasOwn(changes, event.type)) return;
    if (event.type === 'LeadAssigned') this.#addDecision(event);
    this.#queue.push(event);
  }

  /** Call it at the end of the log. @returns the assignments whose winner was not first in turn */
  unfair(): readonly RawEvent[] {
    this.#judgeDecisions();
    return this.#overtaken.map(({ event }) => event);
  }

  #addDecision(event: RawEvent): void {
    const { decidedOn } = event.data.decision;
    if (decidedOn > this.#decidedOn) {
      this.#judgeDecisions();
      this.#catchUpTo(decidedOn);
      this.#decidedOn = decidedOn;
    }
    if (decidedOn === this.#decidedOn) {
      this.#decisions.push(event);
      return;
    }
    // It was made earlier but written late: its claim was served already, so later decisions were right to pass it.
    this.passedOver += 1;
    const claimId = claimIdOf(event);
    this.#overtaken = this.#overtaken.filter(({ ahead, decidedOn: since }) => ahead !== claimId || since < decidedOn);
  }

  #judgeDecisions(): void {
    const inOrder = this.#decisions.sort((a, b) => a.data.decision.decisionIndex - b.data.decision.decisionIndex);
    for (const [index, event] of inOrder.entries()) {
      if (event.data.decision.decisionIndex === index) this.#judge(event);
      else this.passedOver += 1;
      this.#book.note(event);
      this.#noted.add(event);
    }
    this.#decisions = [];
  }

  #judge(event: RawEvent): void {
    this.judged += 1;
    const ahead = this.#book.firstBefore(event);
    if (ahead !== undefined) this.#overtaken.push({ event, ahead, decidedOn: this.#decidedOn });
  }

  #catchUpTo(position: string): void {
    const end = this.#queue.findIndex((event) => event.position > position);
    for (const event of this.#queue.splice(0, end < 0 ? this.#queue.length : end))
      if (!this.#noted.delete(event)) this.#book.note(event);
  }
}
