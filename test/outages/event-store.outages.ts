import { setTimeout as wait } from 'node:timers/promises';
import { describeWithPostgres } from '#test/postgres/database';
import { waitUntil } from '#test/wait-until';
import { deposedLeader, nodeProgram, type Server, Store, underLoad } from './programs.ts';

const WAITS_AND_SAYS_SO = /leadger: waiting for the event store: 127\.0\.0\.1:\d+: /;

const servers = {
  stopped: () => nodeProgram('stopped'),
  killed: () => nodeProgram('killed'),
  frozen: () => nodeProgram('frozen'),
  deposed: deposedLeader,
} as const;

describeWithPostgres.each(['killed', 'stopped', 'frozen', 'deposed'] as const)('an event store that is %s', (how) => {
  let server: Server;
  let store: Store;
  beforeEach(async () => {
    server = await servers[how]();
  });
  afterEach(async () => {
    await store.end();
    await server.end();
  });

  async function open(): Promise<void> {
    store = await Store.start(server);
    await store.isOpen();
  }

  const away = async (seconds: number) => {
    await server.takeAway();
    await wait(seconds * 1000);
    await server.bringBack();
  };

  it.each([1, 15, 90])(
    'for %d seconds under load: nothing is lost or doubled, and all programs go on',
    async (seconds) => {
      await open();
      await underLoad(store, () => away(seconds));
      console.log(`${how} for ${seconds} s: the longest answer took ${Math.round(store.longestMilliseconds)} ms`);
    },
  );

  it.each([1, 15, 90])('for %d seconds while nobody asks: all programs go on', async (seconds) => {
    await open();
    await store.receiveLeads(1, () => store.accepted >= 1);
    await store.isWhole();
    await away(seconds);
    await store.receiveLeads(1, () => store.accepted >= 5);
    await store.isWhole();
  });

  it.each([1, 15, 90])('for %d seconds at the start: the programs wait for it, and say so', async (seconds) => {
    await server.takeAway();
    store = await Store.start(server);
    await wait(seconds * 1000);
    // On a slow machine, a program may need longer until it asks for its event store at all.
    if (how !== 'deposed' && seconds > 5)
      await waitUntil(() => store.programs.every(({ stderr }) => WAITS_AND_SAYS_SO.test(stderr)));
    await server.bringBack();
    await store.isOpen();
    await store.receiveLeads(1, () => store.accepted >= 5);
    await store.isWhole();
  });
});
