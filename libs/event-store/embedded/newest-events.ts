import type { Position, RecordedEvent } from '../port.ts';
import { EVENTS_PER_PAGE, type LogReader, positionOf } from './log-reader.ts';

const EVENTS_KEPT = 1000;
const BYTES_KEPT = 8 * 1024 * 1024;

/** The newest events of the log, read once for all subscribers: each of them wants few of them. */
export class NewestEvents {
  readonly #reader: LogReader;
  /** All events after this position, up to `#until`, are in `#events`. */
  #after: Position = positionOf(0);
  #until = 0;
  #events: RecordedEvent[] = [];
  #bytes = 0;

  constructor(reader: LogReader) {
    this.#reader = reader;
  }

  /** All events after a position, up to the head; undefined when some of them are no longer kept. */
  after(at: number, head: number): readonly RecordedEvent[] | undefined {
    if (head - this.#until > EVENTS_PER_PAGE) {
      this.#after = positionOf(head);
      this.#until = head;
      this.#events = [];
      this.#bytes = 0;
      return undefined;
    }
    if (head > this.#until) this.#readUpTo(head);
    const position = positionOf(at);
    if (position < this.#after) return undefined;
    return this.#events.slice(this.#events.findLastIndex((event) => event.position <= position) + 1);
  }

  #readUpTo(head: number): void {
    while (this.#until < head) {
      const { events, reached } = this.#reader.pageAfter(this.#until, head, undefined);
      this.#events.push(...events);
      for (const event of events) this.#bytes += sizeOf(event);
      this.#until = reached;
    }
    let dropped = 0;
    for (; this.#events.length - dropped > EVENTS_KEPT || this.#bytes > BYTES_KEPT; dropped += 1)
      this.#bytes -= sizeOf(this.#events[dropped] as RecordedEvent);
    if (dropped > 0) this.#after = (this.#events.splice(0, dropped).at(-1) as RecordedEvent).position;
  }
}

const sizeOf = ({ data, metadata }: RecordedEvent): number => data.length + metadata.length;
