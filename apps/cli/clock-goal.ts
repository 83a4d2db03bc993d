import type { Instant } from '#domain/kernel/events';
import { addDays, parseInstant } from '#domain/kernel/instants';
import { CommandFailed } from './command-failed.ts';

export interface LookAheadOptions {
  /** Days of 24 hours. */
  readonly days?: number;
  /** ISO 8601 with a zone. */
  readonly to?: string;
}

const MOST_DAYS = 36_500;

/** Where the clock is to be moved to from an instant. @throws CommandFailed when that is not ahead of it, or too far */
export type Goal = (from: Instant) => Instant;

/** A wrong option is refused before anything is loaded or copied. @throws CommandFailed */
export function goalOf({ days, to }: LookAheadOptions): Goal {
  if (days !== undefined) {
    if (days < 1 || days > MOST_DAYS) throw new CommandFailed(`--days ${days} is not 1 to ${MOST_DAYS}`);
    return (from) => addDays(from, days);
  }
  if (to === undefined) throw new CommandFailed('clock needs to know how far to move the clock: add --days or --to');
  const until = parseInstant(to);
  if (!until) throw new CommandFailed(`--to ${to} is not an instant with a zone, like 2026-05-01T09:30:00-04:00`);
  return (from) => {
    if (until <= from) throw new CommandFailed(`--to ${to} is not ahead: the clock is at ${from} and never goes back`);
    const furthest = addDays(from, MOST_DAYS);
    if (until > furthest) throw new CommandFailed(`--to ${to} is too far: at most ${MOST_DAYS} days, to ${furthest}`);
    return until;
  };
}
