import { setTimeout as pause } from 'node:timers/promises';

/**
 * Waits for a condition, and for as long as it takes: how fast the machine is must not decide about a test. One whose
 * condition never comes is ended by Jest (`testTimeout`).
 */
export async function waitUntil(condition: () => unknown): Promise<void> {
  while (!(await condition())) await pause(20);
}
