// How the memory of a store grows while it imports a million leads.
import { importLeads, openOrders, openShop, seconds } from './shop.ts';

const [leads = '1000000', orders = '0', type = 'exclusive-fresh'] = process.argv.slice(2);
const STEPS = 10;

const shop = await openShop({});
const megabytes = (bytes: number) => Math.round(bytes / 1e6);
const settled = async () => {
  await shop.engine.settle();
  await shop.readModels.waitFor(await shop.events.head(), 3_600_000);
};
const look = (what: string): number => {
  globalThis.gc?.();
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
  console.log(
    `${what.padEnd(22)} RSS ${megabytes(rss)} MB, heap ${megabytes(heapUsed)}, external ${megabytes(external)}, of it buffers ${megabytes(arrayBuffers)}`,
  );
  return rss;
};

// A first small import loads what every run needs once: code, pages of PGlite, caches of SQLite.
const WARM_UP = 20_000;
if (Number(orders) > 0) await openOrders(shop, type, Number(orders));
await importLeads(shop, type, 0, WARM_UP);
await settled();
const before = look('before');
let after = before;
for (let step = 0; step < STEPS; step += 1) {
  const size = Number(leads) / STEPS;
  const from = WARM_UP + step * size;
  const taken = await seconds(async () => {
    await importLeads(shop, type, from, from + size);
    await settled();
  });
  after = look(`${from + size - WARM_UP} leads, ${Math.round(size / taken)}/s`);
}
console.log(`grown by ${megabytes(after - before)} MB for ${leads} leads`);
await shop.close();
