import { setTimeout as wait } from 'node:timers/promises';
import type { Receipt } from '#requests/request-tools';
import type { AnsweredReceipt } from './responses.ts';

/** Every answer that must not show whether an address has an account takes at least this long (ACC-2). */
export const ALIKE_MILLISECONDS = 300;

/** ACC-2: also how much was recorded, and how long it took, would tell whether an address has an account. */
export async function answerAlike(work: Promise<Receipt>): Promise<AnsweredReceipt> {
  const [receipt] = await Promise.all([work, wait(ALIKE_MILLISECONDS)]);
  return { ...receipt, hidesPlace: true };
}
