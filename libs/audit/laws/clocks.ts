import type { RecordedEvent } from '#event-store/port';
import { nameOf, type RawEvent } from './raw-log.ts';

/** Machines of one log have clocks that differ by less, and an event is written sooner than this after it was decided. */
const CLOCKS_AGREE = 60_000;
const STRETCHES_SHOWN = 5;
const ofRewriting: ReadonlySet<string> = new Set(['LogRewritten', 'RewritingFinished']);

/**
 * What the clocks of a log did. It breaks no law, because a clock that was set wrong is a fact that nobody can mend later. But dates
 * that somebody made older look just like this: an auditor compares them with what is known of the machines.
 */
export interface ClocksFound {
  /** Events that were recorded while a clock stood behind what the log had seen, and by how much at most. */
  readonly behind: number;
  readonly behindSeconds: number;
  /** The first stretches of such events, in the order of the log. */
  readonly stretches: readonly Readonly<Stretch>[];
  /** Events that were decided for another time than that of their machine, as in a simulation. */
  readonly forAnotherTime: number;
}

/** Events that follow each other in the log. */
interface Stretch {
  /** `stream@revision` of the first and of the last one, and when the store had them. */
  readonly from: string;
  to: string;
  readonly storedFrom: string;
  storedTo: string;
  events: number;
  behindSeconds: number;
}

/** Notices clocks that were set back, that stand still, or that differ. Must receive all events in the order of the log. */
export class ClockCheck {
  readonly #stretches: Stretch[] = [];
  readonly #latest = new Map<string, number>();
  #behind = 0;
  #behindSeconds = 0;
  #forAnotherTime = 0;
  #present: Stretch | undefined;
  /** When the last event happened, in milliseconds since 1970. Not the latest instant: that may be of a clock that was ahead. */
  now = 0;

  take(event: RawEvent, { recordedAt: storedAt }: Pick<RecordedEvent, 'recordedAt'>): void {
    this.now = Date.parse(event.data.at) || this.now;
    // They are dated as the log around them (ADR 27).
    if (ofRewriting.has(event.type)) return;
    if (event.cause.effectiveAt !== undefined || !saysOneTime(event)) this.#forAnotherTime += 1;
    const behind = this.#behindBy(event, storedAt);
    if (behind >= CLOCKS_AGREE) this.#note(nameOf(event), storedAt, Math.round(behind / 1000));
    else this.#present = undefined;
  }

  found(): ClocksFound {
    return {
      behind: this.#behind,
      behindSeconds: this.#behindSeconds,
      stretches: this.#stretches,
      forAnotherTime: this.#forAnotherTime,
    };
  }

  /**
   * A store has the time of its machine, a program one that never goes back while it runs: so a program is ahead of the store, or the
   * store behind itself, after the clock was set back, and a program behind itself after a new start. In milliseconds.
   */
  #behindBy({ data: { at, decision }, cause }: RawEvent, storedAt: string): number {
    const recordedAt = cause.recordedAt as string | undefined;
    return Math.max(
      this.#behindLatest('stored', storedAt),
      this.#behindLatest('recorded', recordedAt),
      this.#behindLatest('happened', at),
      apart(storedAt, recordedAt),
      apart(at, decision?.decidedAt),
    );
  }

  #behindLatest(what: string, instant: string | undefined): number {
    const time = Date.parse(instant ?? '');
    if (Number.isNaN(time)) return 0;
    const latest = Math.max(this.#latest.get(what) ?? time, time);
    this.#latest.set(what, latest);
    return latest - time;
  }

  #note(name: string, storedAt: string, behindSeconds: number): void {
    this.#behind += 1;
    this.#behindSeconds = Math.max(this.#behindSeconds, behindSeconds);
    if (!this.#present) {
      this.#present = { from: name, to: name, storedFrom: storedAt, storedTo: storedAt, events: 0, behindSeconds: 0 };
      if (this.#stretches.length < STRETCHES_SHOWN) this.#stretches.push(this.#present);
    }
    this.#present.to = name;
    this.#present.storedTo = storedAt;
    this.#present.events += 1;
    this.#present.behindSeconds = Math.max(this.#present.behindSeconds, behindSeconds);
  }
}

/** By how much an instant is earlier than one that should have been before it; 0 where one of them is missing. */
function apart(instant: string, before: string | undefined): number {
  return before === undefined ? 0 : Date.parse(before) - Date.parse(instant) || 0;
}

/**
 * Whether an event happened when it was decided, for the time for which it was decided. Events that do not say how their actor was
 * authenticated are of older versions, which did not tell the time of a simulation from that of the machine.
 * A lead is assigned by the program that decided it, whose time never goes back; it may be delivered by a later one.
 */
export function isDatedAsDecided(event: RawEvent): boolean {
  const { type, data, cause } = event;
  const decidedLater = type === 'LeadAssigned' && apart(data.at, data.decision?.decidedAt) >= CLOCKS_AGREE;
  return !decidedLater && (cause.authenticated === undefined || saysOneTime(event));
}

function saysOneTime({ data: { at }, cause: { recordedAt, effectiveAt } }: RawEvent): boolean {
  const decided = (effectiveAt ?? recordedAt ?? at) as string;
  return Math.abs(apart(at, decided)) < CLOCKS_AGREE;
}
