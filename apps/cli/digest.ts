import { openStores, type StoreLocation } from '#wiring/stores';
import { printJson, printLines } from './print.ts';
import { progressUpTo } from './rebuild.ts';

/**
 * Prints a digest of all rows of each read model, after the model has caught up with the log. The same log gives the same
 * digests, however often the programs that wrote the rows were interrupted.
 */
export async function digest(location: StoreLocation, { json = false }: { json?: boolean }): Promise<void> {
  const stores = await openStores({ ...location, mustExist: true });
  try {
    const { events, readModels } = stores;
    const progress = progressUpTo(await events.head());
    await readModels.catchUp({ onProgress: progress.at });
    progress.end();
    const digests: Record<string, string> = {};
    for (const name of readModels.names) digests[name] = await readModels.digest(name);
    if (json) printJson(digests);
    else for (const [name, value] of Object.entries(digests)) printLines(`${name.padEnd(14)}${value}`);
  } finally {
    await stores.close();
  }
}
