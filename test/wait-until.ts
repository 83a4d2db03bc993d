import { setTimeout as pause } from 'node:timers/promises';

/** A limit where a limit must be given: far longer than anything takes, also on a slow machine with much else to do. */
export const FAR_AWAY_MILLISECONDS = 600_000;
export const FAR_AWAY_SECONDS = FAR_AWAY_MILLISECONDS / 1000;

/**
 * Waits for a condition, and for as long as it takes: how fast the machine is must not decide about a test. One whose
 * condition never comes is ended by Jest (`testTimeout`).
 */
export async function waitUntil(condition: () => unknown): Promise<void> {
  while (!(await condition())) await pause(20);
}
