import { openStores, type StoreLocation } from '#wiring/stores';
import { printLines } from './print.ts';
import { Progress } from './progress.ts';
import { activitiesOfCommand, noteCounts } from './telling.ts';

/** Rebuilds a read model from the log; without a name, all of them. @throws UnknownModel, CannotOpenStore (e.g. while the store is running) */
export async function rebuild(location: StoreLocation, name: string | undefined): Promise<void> {
  const stores = await openStores({ ...location, mustExist: true, ...activitiesOfCommand() });
  try {
    const { events, readModels } = stores;
    const end = await events.head();
    for (const [index, model] of (name === undefined ? readModels.names : [name]).entries()) {
      const start = performance.now();
      const progress = progressUpTo(end);
      await readModels.rebuild(model, { onProgress: progress.at });
      progress.end();
      noteCounts({ models: index + 1 });
      const seconds = ((performance.now() - start) / 1000).toFixed(2);
      printLines(`${model} was rebuilt in ${seconds} s; digest ${await readModels.digest(model)}`);
    }
  } finally {
    await stores.close();
  }
}

/** Shows the position of each model in the log. */
export function progressUpTo(end: string) {
  let where = '';
  const progress = new Progress(() => where);
  return {
    at(model: string, reached: string): void {
      where = `${model}: ${reached === '' ? 'at the beginning' : `at ${reached}`} of ${end}`;
      progress.update(0);
    },
    end: () => progress.end(),
  };
}
