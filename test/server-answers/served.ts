import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Proposed, RawCalls, ReadCall } from './raw-calls.ts';

/** A server or a node that is asked. */
export interface Served {
  readonly calls: RawCalls;
  /** A stream of its own for each case. In answers it is called `S`. */
  readonly stream: string;
}

/** Asks something. @returns answers that are the same whenever it is asked */
export type Case = (served: Served) => Promise<unknown>;
export type Cases = Readonly<Record<string, Case>>;

/** More than any case has. */
export const count = 10;

export const json = (number: number): Proposed => ({ data: `{"number":${number}}` });
export const events = (length: number): Proposed[] => Array.from({ length }, (_, number) => json(number));
export const ids = (length: number): Proposed[] => Array.from({ length }, () => ({ id: randomUUID() }));

/** Three events in the stream. */
export async function three({ calls, stream }: Served): Promise<void> {
  await calls.append({ stream, events: events(3) });
}

/** A server acknowledges an append before all of its readers know it. */
export const readersKnow = (): Promise<void> => wait(300);

/**
 * Follows until `length` messages came, checkpoints not counted. When one of them is `sign`, `act` is called, so that what
 * it does comes after that.
 */
export async function follow(
  { calls }: Served,
  call: ReadCall,
  length: number,
  act: () => Promise<unknown>,
  sign = 'caught up',
): Promise<readonly string[]> {
  let acted: Promise<unknown> | undefined;
  const seen = await calls.read(call, (all) => {
    if (all.at(-1) === sign) acted ??= act();
    return withoutCheckpoints(all).length === length;
  });
  await acted;
  return withoutCheckpoints(seen);
}

const withoutCheckpoints = (texts: readonly string[]) => texts.filter((text) => text !== 'checkpoint');
