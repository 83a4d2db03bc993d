import { setImmediate as nextTurn } from 'node:timers/promises';

const MILLISECONDS_OF_A_TURN = 5;

/**
 * Work that waits for nothing outside keeps every other request waiting until it is done. Such work calls this often: after
 * some milliseconds of work, it waits for one turn of the event loop.
 */
export function takingTurns(): () => Promise<void> | undefined {
  let since = performance.now();
  const letOthersRun = async () => {
    await nextTurn();
    since = performance.now();
  };
  return () => (performance.now() - since < MILLISECONDS_OF_A_TURN ? undefined : letOthersRun());
}

/** Starts an asynchronous work for each item, in their order, and lets others run meanwhile. @returns all results */
export async function startInTurns<Item, Result>(
  items: readonly Item[],
  start: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const pause = takingTurns();
  const started: Promise<Result>[] = [];
  for (const item of items) {
    await pause();
    const result = start(item);
    // The failure is reported below, after all have started.
    result.catch(() => {});
    started.push(result);
  }
  return Promise.all(started);
}
