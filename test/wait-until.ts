import { setTimeout as pause } from 'node:timers/promises';

/** For calls that need a limit: far longer than anything takes, also on a slow machine under load. */
export const FAR_AWAY_MILLISECONDS = 600_000;
export const FAR_AWAY_SECONDS = FAR_AWAY_MILLISECONDS / 1000;

/**
 * Waits until a condition is true, without a limit of its own: no test may depend on how fast the machine is. Jest ends a
 * test whose condition never becomes true (`testTimeout`).
 */
export async function waitUntil(condition: () => unknown): Promise<void> {
  while (!(await condition())) await pause(20);
}
