import { claimIdOf } from './claims.ts';
import { couldSee, type EventsSeen } from './events-seen.ts';
import type { RawEvent } from './raw-log.ts';
import { changes, TurnBook } from './turn-book.ts';

/**
 * Repeats each decision about who receives a lead (DLV-7), from the log alone. A decision says how many events it had
 * seen, and its index among the decisions that saw equally many. So the book is kept as it was after that many events,
 * while reading is further ahead: events wait in a queue until a later decision shows that they had been seen.
 *
 * Some decisions cannot be repeated and are passed over: those after a decision that had no effect (its index is
 * missing, and the log does not say who would have been served), those that were written after later decisions, and those
 * that name a position of another log. An
 * order that gave a lead back counts as not served when it is the winner, and as served when it is compared with the
 * winner: either error would accuse a fair decision.
 */
export class TurnCheck {
  judged = 0;
  passedOver = 0;
  readonly #book = new TurnBook();
  /** Events that were read, but perhaps not yet seen by the decisions that are being judged. */
  #queue: RawEvent[] = [];
  readonly #eventsSeen: EventsSeen;
  /** The decisions that saw this many events, and those that the book has noted before their place in the log. */
  #seen = 0;
  #decisions: RawEvent[] = [];
  readonly #noted = new Set<RawEvent>();
  #overtaken: { readonly event: RawEvent; readonly ahead: string; readonly seen: number }[] = [];

  constructor(eventsSeen: EventsSeen) {
    this.#eventsSeen = eventsSeen;
  }

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
    const seen = this.#eventsSeen.by(event.data.decision);
    if (seen === undefined) this.#passOver(event);
    else if (couldSee(seen, event.ordinal)) this.#addInOrder(event, seen);
    else this.#addImpossible(event);
  }

  /** It says that it had seen itself, or what came later. Its metadata may tell the truth, and others are judged without it. */
  #addImpossible(event: RawEvent): void {
    const { eventsSeen } = event.cause;
    if (couldSee(eventsSeen, event.ordinal)) this.#addInOrder(event, eventsSeen);
    else this.passedOver += 1;
  }

  /** It names a position of another log. All later decisions had seen what came before it. */
  #passOver(event: RawEvent): void {
    this.passedOver += 1;
    this.#judgeDecisions();
    this.#advanceTo(event.ordinal - 1);
    this.#overtaken = this.#overtaken.filter(({ event: { data } }) => data.decision.eventsSeen !== undefined);
  }

  #addInOrder(event: RawEvent, seen: number): void {
    if (seen > this.#seen) {
      this.#judgeDecisions();
      this.#advanceTo(seen);
    }
    if (seen === this.#seen) {
      this.#decisions.push(event);
      return;
    }
    // It was made earlier but written late: its claim was served already, so later decisions were right to pass it.
    this.passedOver += 1;
    const claimId = claimIdOf(event);
    this.#overtaken = this.#overtaken.filter(({ ahead, seen: since }) => ahead !== claimId || since < seen);
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
    if (ahead !== undefined) this.#overtaken.push({ event, ahead, seen: this.#seen });
  }

  #advanceTo(seen: number): void {
    this.#seen = seen;
    const end = this.#queue.findIndex(({ ordinal }) => ordinal > seen);
    for (const event of this.#queue.splice(0, end < 0 ? this.#queue.length : end))
      if (!this.#noted.delete(event)) this.#book.note(event);
  }
}
