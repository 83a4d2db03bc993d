import type { Instant } from '../kernel/events.ts';
import { addDays, addSeconds, earliest } from '../kernel/instants.ts';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The delay after each failed attempt, and after all later ones, as RFC 5321 advises (section 4.5.4.1). */
const RETRY_SECONDS = [5 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR];

/** After attempts that the server did not confirm: it may have taken the mail, and gets it once more each time. */
const UNCONFIRMED_RETRY_SECONDS = [30 * MINUTE, DAY];

/** NTF-4: counted from the first attempt that failed. */
const DAYS_A_MAIL_IS_TRIED = 5;

/** The failed attempts to send a mail, with the present one. */
export interface FailedTries {
  readonly attempts: number;
  /** Those after which the server may have the mail. */
  readonly unconfirmed: number;
  readonly since: Instant;
}

/** When a mail is tried again after an attempt that failed. The last attempt is after five days. @returns undefined: never */
export function nextTry({ attempts, unconfirmed, since }: FailedTries, isConfirmed: boolean, now: Instant) {
  const end = addDays(since, DAYS_A_MAIL_IS_TRIED);
  if (now >= end) return undefined;
  const seconds = isConfirmed
    ? delayAfter(attempts, RETRY_SECONDS)
    : delayAfter(unconfirmed, UNCONFIRMED_RETRY_SECONDS);
  return earliest([addSeconds(now, seconds), end]);
}

const delayAfter = (attempts: number, delays: readonly number[]): number =>
  delays[Math.min(attempts, delays.length) - 1] as number;
