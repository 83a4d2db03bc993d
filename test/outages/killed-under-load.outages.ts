import { setTimeout as wait } from 'node:timers/promises';
import { describeWithPostgres } from '#test/postgres/database';
import { nodeProgram, Store, underLoad } from './programs.ts';

const OUTAGE_MILLISECONDS = 15_000;
const OUTAGES = 2;

/** The part of the outages that runs with every change. */
describeWithPostgres('an event store that is killed again and again while leads arrive', () => {
  test('nothing is lost or doubled, and all programs go on', async () => {
    const server = await nodeProgram('killed');
    const store = await Store.start(server);
    try {
      await store.isOpen();
      for (let outage = 0; outage < OUTAGES; outage += 1)
        await underLoad(store, async () => {
          await server.takeAway();
          await wait(OUTAGE_MILLISECONDS);
          await server.bringBack();
        });
    } finally {
      await store.end();
      await server.end();
    }
  });
});
