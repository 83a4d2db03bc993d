import { setTimeout as wait } from 'node:timers/promises';
import { type EventStore, LogReplaced, NoSuchPosition, type Position } from './port.ts';

const MILLISECONDS_BETWEEN_TRIES = 500;

/**
 * Follows the log until the signal is aborted, and notices when an older copy of it was restored: then what a program keeps of
 * the log in memory may never have happened. It wants no event, but all pass it: so each program sees which streams that are
 * named like ours others write to. Resolves when it knows the end of the log: what is read later is watched.
 */
export async function watchLog(
  store: EventStore,
  forget: () => void,
  signal: AbortSignal,
): Promise<{ readonly ended: Promise<void> }> {
  return { ended: follow(store, await store.head(), forget, signal) };
}

async function follow(store: EventStore, head: Position, forget: () => void, signal: AbortSignal): Promise<void> {
  for (let after = head; !signal.aborted; after = await headOf(store, signal, after)) {
    try {
      for await (const _ of store.subscribe({ after, signal }));
    } catch (error) {
      if (error instanceof LogReplaced || error instanceof NoSuchPosition) forget();
      else await wait(MILLISECONDS_BETWEEN_TRIES, undefined, { signal, ref: false }).catch(() => {});
    }
  }
}

/** Out of reach, it is watched from where it was. */
const headOf = (store: EventStore, { aborted }: AbortSignal, otherwise: Position): Promise<Position> =>
  aborted ? Promise.resolve(otherwise) : store.head().catch(() => otherwise);
