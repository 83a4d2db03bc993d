import { trialCaller } from '#domain/kernel/caller';
import { isTrial, staffStream } from '#domain/staff/staff';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import { MovedClock } from '#gateways/clock';
import { openVault } from '#vault/key-vault';
import { CommandHandler } from './command-handler.ts';
import { RecentStates } from './recent-states.ts';
import { createRequests } from './requests.ts';
import { StreamCache } from './stream-cache.ts';

test('what another program wrote, and so took away, counts within a second', async () => {
  const [events, vault] = await Promise.all([openEmbeddedStore(), openVault({})]);
  const there = new CommandHandler(events);
  const clock = new MovedClock('2026-03-02T15:00:00.000Z');
  const dispatch = there.execute.bind(there);
  const requests = createRequests({ streams: there.streams, vault, clock, dispatch });
  let elapsed = 0;
  const here = new RecentStates(new StreamCache(events), () => elapsed);
  expect(isTrial(await here.of<'staff'>(staffStream))).toBe(true);
  const first = { email: 'ada@example.com', password: 'correct horse battery' };
  await requests.staff.addFirst(first, {
    caller: trialCaller('staff:local'),
    commandId: 'c0ffee00-0000-5000-8000-000000000001',
  });
  elapsed += 1000;
  expect(isTrial(await here.of<'staff'>(staffStream))).toBe(false);
  await vault.close();
  await events.close();
});
