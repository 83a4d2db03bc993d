import type { Manners } from './manners.ts';

/** A record that begins at a position: an event of the store (1 is its first), or the server's own event after it. */
export interface RecordPlace {
  readonly number: number;
  readonly isSystem: boolean;
}

const SYSTEM_EVERY = 16;

/** Translates numbers of events into the positions that clients see. */
export class Positions {
  readonly #step: number;
  readonly #systemEvents: boolean;

  constructor({ positionStep, systemEvents }: Manners) {
    this.#step = positionStep;
    this.#systemEvents = systemEvents && positionStep > 1;
  }

  /** Position 0 is that of the server's first event. */
  of({ number, isSystem }: RecordPlace): number {
    if (number === 0) return 0;
    const spread = Math.floor(this.#step / 2);
    const gap = spread === 0 ? 0 : (number * 167) % spread;
    return number * this.#step + gap + (isSystem ? Math.floor(spread / 2) + 1 : 0);
  }

  /** How many events of the store begin at or before a position, at most. */
  numberAt(position: number): number {
    return Math.floor(position / this.#step);
  }

  /** @returns undefined where no record can begin */
  placeAt(position: number): RecordPlace | undefined {
    const number = this.numberAt(position);
    const places = [false, true].map((isSystem) => ({ number, isSystem }));
    return places.find((place) => (!place.isSystem || this.hasSystemEventAfter(number)) && this.of(place) === position);
  }

  hasSystemEventAfter(number: number): boolean {
    return this.#systemEvents && number % SYSTEM_EVERY === 5;
  }

  /** The position of the last record, when the store has so many events. */
  last(number: number): number {
    return this.of({ number, isSystem: this.hasSystemEventAfter(number) });
  }
}
