import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';

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

/** Waits until it is the caller's turn to work. */
export type Turn = () => Promise<void>;

/**
 * For many who have work at the same time: they work one after the other, in the order in which they ask. After some
 * milliseconds of work, all of them wait as long as they worked, so that others have at least half of the time.
 */
export function halfOfTheTime(): Turn {
  const waiting: (() => void)[] = [];
  let isServing = false;
  let restUntil = 0;
  const serve = async () => {
    isServing = true;
    while (waiting.length > 0) {
      const rest = restUntil - performance.now();
      if (rest > 0) await wait(rest);
      const worked = await workFor(MILLISECONDS_OF_A_TURN, waiting);
      restUntil = performance.now() + worked;
    }
    isServing = false;
  };
  return () =>
    new Promise((begin) => {
      waiting.push(begin);
      if (!isServing) void serve();
    });
}

/** @returns how long they worked */
async function workFor(milliseconds: number, waiting: (() => void)[]): Promise<number> {
  const since = performance.now();
  let worked = 0;
  while (worked < milliseconds) {
    const begin = waiting.shift();
    if (!begin) break;
    begin();
    await workDone();
    worked = performance.now() - since;
  }
  return worked;
}

/** When promises have called all that was ready, and what that left for the end of the turn, as writing, is done, too. */
const workDone = (): Promise<void> => new Promise((resolve) => process.nextTick(() => process.nextTick(resolve)));
