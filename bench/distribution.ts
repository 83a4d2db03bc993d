// Leads received and delivered per second, and how this depends on the number of open orders.
import { importLeads, median, openOrders, openShop, perSecond, seconds } from './shop.ts';

const TYPE = 'exclusive-fresh';
const [orders = '1000,10000,100000', leads = '10000'] = process.argv.slice(2);

const rates = new Map<number, number>();
for (const openOrderCount of orders.split(',').map(Number)) {
  const shop = await openShop({});
  const opened = await seconds(() => openOrders(shop, TYPE, openOrderCount));
  await shop.readModels.waitFor(await shop.events.head(), 600_000);
  console.error(`${openOrderCount} orders opened in ${opened.toFixed(0)} s`);
  const rounds: number[] = [];
  const readable: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    const from = round * Number(leads);
    const start = performance.now();
    await importLeads(shop, TYPE, from, from + Number(leads));
    const taken = (performance.now() - start) / 1000;
    await shop.engine.settle();
    const delivered = (performance.now() - start) / 1000;
    await shop.readModels.waitFor(await shop.events.head(), 600_000);
    const read = (performance.now() - start) / 1000;
    rounds.push(Number(leads) / delivered);
    readable.push(Number(leads) / read);
    console.error(
      `  round ${round}: taken ${taken.toFixed(1)} delivered ${delivered.toFixed(1)} readable ${read.toFixed(1)}`,
    );
  }
  rates.set(openOrderCount, median(rounds));
  console.log(
    `${openOrderCount} open orders: received and delivered ${perSecond(median(rounds))}, readable ${perSecond(median(readable))}`,
  );
  await shop.close();
}
const first = [...rates.values()][0] as number;
for (const [count, rate] of rates)
  console.log(`cost per lead at ${count} open orders: ${(first / rate).toFixed(2)} × the first`);
