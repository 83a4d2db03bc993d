import type { Landmark, Position } from '../port.ts';

/** What is known of the end of the log: the newest event of ours, and how far the log was looked through for it. */
export class LogEnd {
  #newest: Landmark | undefined;
  /** The event, of anybody, up to which the newest is known. Undefined: nothing is known. */
  #passed: Landmark | undefined;
  /** How far the live subscription has come. Undefined while there is none. */
  #followedTo: Position | undefined;
  #isFollowed = false;
  /** Whether the live subscription has not been broken since `#passed` was noted: the log is the same. */
  #isSame = false;

  get newest(): Landmark | undefined {
    return this.#newest;
  }

  get passed(): Landmark | undefined {
    return this.#passed;
  }

  get isSame(): boolean {
    return this.#isSame;
  }

  /** Where to look for newer ones. */
  get lookedUpTo(): Position | undefined {
    const passed = this.#passed?.position;
    if (passed === undefined || this.#followedTo === undefined || !this.#isSame) return passed;
    return this.#followedTo > passed ? this.#followedTo : passed;
  }

  /** The log may be another one than before. */
  forget(): void {
    this.#newest = undefined;
    this.#passed = undefined;
  }

  /** @param passed an event that was there before the look for the newest began */
  found(newest: Landmark | undefined, passed: Landmark): void {
    if (newest && !(this.#newest && this.#newest.position > newest.position)) this.#newest = newest;
    if (this.#passed && this.#passed.position > passed.position) return;
    this.#passed = passed;
    this.#isSame = this.#isFollowed;
  }

  followingBegins(): void {
    this.#isFollowed = true;
  }

  followingEnds(): void {
    this.#isFollowed = false;
    this.#isSame = false;
    this.#followedTo = undefined;
  }

  /** The live subscription passed this event of ours. */
  passes(event: Landmark): void {
    this.found(event, event);
    this.hasPassed(event.position);
  }

  /** The live subscription came this far, over events of others. */
  hasPassed(position: Position): void {
    this.#followedTo = position;
  }
}
