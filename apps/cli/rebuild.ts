import { openStores, type Place } from '#wiring/stores';
import { Progress } from './progress.ts';

/** Builds a read model anew from the log. @throws UnknownModel, CannotOpenStore (e.g. while the store is running) */
export async function rebuild(place: Place, name: string): Promise<void> {
  const stores = await openStores({ ...place, mustExist: true });
  try {
    const start = performance.now();
    const progress = new Progress(() => `building ${name}`);
    await stores.readModels.rebuild(name, { onProgress: () => progress.update(0) });
    progress.end();
    const seconds = ((performance.now() - start) / 1000).toFixed(2);
    console.log(`${name} was built anew in ${seconds} s; digest ${await stores.readModels.digest(name)}`);
  } finally {
    await stores.close();
  }
}
