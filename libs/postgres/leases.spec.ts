import { setTimeout as wait } from 'node:timers/promises';
import { describeWithPostgres, freshDatabase } from '#test/postgres/database';
import { FAR_AWAY_MILLISECONDS, waitUntil } from '#test/wait-until';
import { connectLeases, type Leases } from './leases.ts';

/** Milliseconds. Short enough to wait until it ends. No test may need to be faster than this. */
const SHORT_TERM = 400;

describeWithPostgres('leases', () => {
  let databaseUrl: string;
  let drop: () => Promise<void>;
  let one: Leases;
  let other: Leases;
  /** Its leases end while another worker waits for them. */
  let hasty: Leases;
  beforeEach(async () => {
    ({ url: databaseUrl, drop } = await freshDatabase());
    const open = (termMilliseconds: number) => connectLeases(databaseUrl, termMilliseconds);
    [one, other, hasty] = await Promise.all([
      open(FAR_AWAY_MILLISECONDS),
      open(FAR_AWAY_MILLISECONDS),
      open(SHORT_TERM),
    ]);
  });
  afterEach(async () => {
    await Promise.all([one.close(), other.close(), hasty.close()]);
    await drop();
  });

  it('are held by one worker at a time', async () => {
    const units = ['a', 'b', 'c', 'd'];
    const [mine, theirs] = await Promise.all([one.take(units), other.take(units)]);
    expect([...mine, ...theirs].map(({ unit }) => unit).sort()).toEqual(units);
    expect([...mine, ...theirs].every((lease) => lease.holds())).toBe(true);
  });

  it('keep their token while they are renewed, and have a higher one for the next holder', async () => {
    const [first] = await one.take(['a']);
    const [renewed] = await one.take(['a']);
    expect(renewed?.token).toBe(first?.token);
    await one.release(['a']);
    const [next] = await other.take(['a']);
    expect(next?.token).toBe((first?.token as number) + 1);
    expect(await one.take(['a'])).toEqual([]);
  });

  it('end for a holder that did not renew them before another worker can get them', async () => {
    await one.take(['kept']);
    const [lease] = await hasty.take(['a']);
    let taken: Awaited<ReturnType<Leases['take']>> = [];
    await waitUntil(async () => {
      taken = await other.take(['a', 'kept']);
      return taken.length > 0;
    });
    expect(taken.map(({ unit }) => unit)).toEqual(['a']);
    expect(lease?.holds()).toBe(false);
    expect(taken[0]?.token).toBe((lease?.token as number) + 1);
  });

  it('have a new token when their former holder renews them too late', async () => {
    const [lease] = await hasty.take(['a']);
    await waitUntil(() => !lease?.holds());
    await wait(SHORT_TERM);
    expect((await hasty.take(['a']))[0]?.token).toBe((lease?.token as number) + 1);
  });

  it('workers see each other while they report, and not after they have left', async () => {
    await one.appear({ name: 'one' });
    expect((await other.appear({ name: 'other' })).toSorted()).toEqual([one.worker, other.worker].sort());
    await one.take(['a']);
    await one.leave();
    expect(await other.appear({ name: 'other' })).toEqual([other.worker]);
    expect(await other.reports()).toEqual([{ name: 'other' }]);
    expect(await other.take(['a'])).toHaveLength(1);
  });

  it('a request to retry is delivered once, to the worker that has the parked item', async () => {
    await one.askForRetry('x');
    await one.askForRetry('x');
    expect(await other.takeRetries(['y'])).toEqual([]);
    expect(await other.takeRetries(['x', 'y'])).toEqual(['x']);
    expect(await other.takeRetries(['x', 'y'])).toEqual([]);
  });
});
