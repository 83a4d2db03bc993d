import type { Position, RecordedEvent } from '../port.ts';
import { EVENTS_PER_PAGE, type LogReader, positionOf } from './log-reader.ts';

const EVENTS_KEPT = 1000;

/** The newest events of the log, read once for all subscribers: each of them wants few of them. */
export class NewestEvents {
  readonly #reader: LogReader;
  /** All events after this position, up to `#until`, are in `#events`. */
  #after: Position = positionOf(0);
  #until = 0;
  #events: RecordedEvent[] = [];

  constructor(reader: LogReader) {
    this.#reader = reader;
  }

  /** All events after a position, up to the head; undefined when some of them are no longer kept. */
  after(at: number, head: number): readonly RecordedEvent[] | undefined {
    if (head - this.#until > EVENTS_PER_PAGE) {
      this.#after = positionOf(head);
      this.#until = head;
      this.#events = [];
      return undefined;
    }
    if (head > this.#until) this.#readUpTo(head);
    const position = positionOf(at);
    if (position < this.#after) return undefined;
    return this.#events.slice(this.#events.findLastIndex((event) => event.position <= position) + 1);
  }

  #readUpTo(head: number): void {
    this.#events.push(...this.#reader.pageAfter(this.#until, head, undefined).events);
    this.#until = head;
    const tooMany = this.#events.length - EVENTS_KEPT;
    if (tooMany > 0) this.#after = (this.#events.splice(0, tooMany).at(-1) as RecordedEvent).position;
  }
}
