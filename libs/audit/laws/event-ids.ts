import type { EventStore, RecordedEvent } from '#event-store/port';
import { nameOf } from './raw-log.ts';

/**
 * Finds events with one id: eight bytes of memory for each event of the log, and a second look at the log only where some may
 * have one.
 */
export class EventIdCheck {
  #marks = new Float64Array(1024);
  #count = 0;

  /** Must receive all events. */
  take({ id }: Pick<RecordedEvent, 'id'>): void {
    if (this.#count === this.#marks.length) {
      const more = new Float64Array(2 * this.#count);
      more.set(this.#marks);
      this.#marks = more;
    }
    this.#marks[this.#count] = markOf(id);
    this.#count += 1;
  }

  /**
   * @param head what comes later was not taken
   * @returns the later ones of events with one id, each with the first one
   */
  async repeated(log: Pick<EventStore, 'readAll'>, head: string): Promise<readonly string[]> {
    const suspected = this.#twice();
    if (suspected.size === 0) return [];
    const firsts = new Map<string, string>();
    const repeated: string[] = [];
    for await (const event of log.readAll()) {
      if (event.position > head) break;
      if (!suspected.has(markOf(event.id))) continue;
      const name = nameOf(event);
      const first = firsts.get(event.id) ?? name;
      firsts.set(event.id, first);
      if (first !== name) repeated.push(`${name} has the id of ${first}`);
    }
    return repeated;
  }

  #twice(): ReadonlySet<number> {
    const sorted = this.#marks.subarray(0, this.#count).sort();
    return new Set(sorted.filter((mark, index) => mark === sorted[index - 1]));
  }
}

/** 52 bits of a UUID, which a number holds exactly. What is no UUID has 0: it is looked at again. */
const markOf = (id: string): number =>
  Number.parseInt(id.slice(0, 8), 16) * 2 ** 20 + Number.parseInt(id.slice(24, 29), 16) || 0;
