import type { Landmark, Position } from '../port.ts';

/** The live subscription from its confirmation until it breaks: meanwhile the log is the same, and no event is missed. */
type Following = object;

/** What is known of the end of the log: the newest event of ours, and how far the log was looked through for it. */
export class LogEnd {
  #newest: Landmark | undefined;
  /** The event, of anybody, up to which the newest is known. Undefined: nothing is known. */
  #passed: Landmark | undefined;
  #passedDuring: Following | undefined;
  #following: Following | undefined;
  /** How far the live subscription has come. */
  #followedTo: Position | undefined;

  get newest(): Landmark | undefined {
    return this.#newest;
  }

  get passed(): Landmark | undefined {
    return this.#passed;
  }

  get following(): Following | undefined {
    return this.#following;
  }

  /** Whether no older copy of the log can have been restored since what is known was found. */
  get isSame(): boolean {
    return this.#following !== undefined && this.#following === this.#passedDuring;
  }

  /** Where to look for newer ones. */
  get lookedUpTo(): Position | undefined {
    const passed = this.#passed?.position;
    const isFurther =
      this.isSame && this.#followedTo !== undefined && passed !== undefined && this.#followedTo > passed;
    return isFurther ? this.#followedTo : passed;
  }

  /** The log may be another one than before. */
  forget(): void {
    this.#newest = undefined;
    this.#passed = undefined;
  }

  /**
   * @param passed an event that was there before the look for the newest began
   * @param during the live subscription of that moment
   */
  found(newest: Landmark | undefined, passed: Landmark, during: Following | undefined): void {
    if (newest && !(this.#newest && this.#newest.position > newest.position)) this.#newest = newest;
    if (this.#passed && this.#passed.position > passed.position) return;
    this.#passed = passed;
    this.#passedDuring = during;
  }

  followingBegins(): void {
    this.#following = {};
  }

  followingEnds(): void {
    this.#following = undefined;
    this.#followedTo = undefined;
  }

  /** The live subscription passed this event of ours. */
  passes(event: Landmark): void {
    this.found(event, event, this.#following);
    this.hasPassed(event.position);
  }

  /** The live subscription came this far, over events of others. */
  hasPassed(position: Position): void {
    this.#followedTo = position;
  }
}
