import { randomUUID } from 'node:crypto';
import { appendCases } from './append-cases.ts';
import { deletionCases } from './deletion-cases.ts';
import { logCases } from './log-cases.ts';
import { RawCalls } from './raw-calls.ts';
import type { Cases } from './served.ts';
import { streamCases } from './stream-cases.ts';

export const cases: Cases = { ...logCases, ...streamCases, ...appendCases, ...deletionCases };

/** What a server answers in a case, in texts. @param address host and port */
export async function answerOf(address: string, name: string): Promise<unknown> {
  const stream = `answers${randomUUID().slice(0, 8)}`;
  const calls = new RawCalls(address);
  try {
    const answer = await cases[name]?.({ calls, stream });
    return JSON.parse(JSON.stringify(answer).replaceAll(stream, 'S'));
  } finally {
    calls.close();
  }
}
