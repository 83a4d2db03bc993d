import { trialCaller } from '#domain/kernel/caller';
import { deriveId } from '#domain/kernel/ids';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import { type EventStore, StoreUnavailable } from '#event-store/port';
import { MovedClock } from '#gateways/clock';
import { openSessions, type SessionStore } from '#sessions/session-store';
import { describeWithPostgres, freshDatabase } from '#test/postgres/database';
import { waitUntil } from '#test/wait-until';
import { openVault } from '#vault/key-vault';
import type { Vault } from '#vault/vault';
import { CommandHandler } from './command-handler.ts';
import { Identities, type NewSession } from './identities.ts';
import { createRequests, type Requests } from './requests.ts';
import { StreamCache } from './stream-cache.ts';

const PASSWORD = 'correct horse battery';
const clock = new MovedClock('2026-03-02T15:00:00.000Z');
const by = (what: string) => ({ caller: trialCaller('staff:local'), commandId: deriveId('identities.spec', what) });

interface Program {
  readonly requests: Requests;
  readonly identities: Identities;
  readonly sessions: SessionStore;
}

function programOn(events: EventStore, vault: Vault, sessions: SessionStore): Program {
  const handler = new CommandHandler(events);
  const { streams } = handler;
  const requests = createRequests({ streams, vault, clock, dispatch: handler.execute.bind(handler) });
  return { requests, identities: new Identities({ streams, sessions, clock }), sessions };
}

describeWithPostgres('two programs with one log and one PostgreSQL', () => {
  let events: EventStore;
  let vault: Vault;
  let database: Awaited<ReturnType<typeof freshDatabase>>;
  let [here, there]: Program[] = [];
  let memberId: string;
  beforeAll(async () => {
    [events, vault, database] = await Promise.all([openEmbeddedStore(), openVault({}), freshDatabase()]);
    const open = async () => programOn(events, vault, await openSessions({ databaseUrl: database.url }));
    [here, there] = [await open(), await open()];
  });
  afterAll(async () => {
    for (const program of [here, there]) await program?.sessions.close();
    await events.close();
    await vault.close();
    await database.drop();
  });
  const signInHere = async () =>
    (await (here as Program).identities.start(`staff:${memberId}`, 'curl', 'totp', 'browser-1')) as NewSession;
  const seenThere = async (token: string) => (await (there as Program).identities.ofSession(token))?.caller;

  test('the trial ends in both with the first account, in one of them at once', async () => {
    expect([await here?.identities.isTrial(), await there?.identities.isTrial()]).toEqual([true, true]);
    const first = { email: 'ada@example.com', password: PASSWORD };
    memberId = (await (here as Program).requests.staff.addFirst(first, by('first'))).id;
    expect(await here?.identities.isTrial()).toBe(false);
    await waitUntil(async () => !(await there?.identities.isTrial()));
  });

  test('a session of one is one of the other, until one of them ends it', async () => {
    const { token } = await signInHere();
    const caller = await seenThere(token);
    expect(caller).toMatchObject({
      actor: `staff:${memberId}`,
      authenticated: 'session',
      stores: 'all',
      factor: 'fresh',
    });
    const [session] = (await there?.identities.sessionsOf(`staff:${memberId}`)) ?? [];
    await there?.sessions.end(`staff:${memberId}`, session?.sessionId as string);
    expect(await here?.identities.ofSession(token)).toBeUndefined();
    expect(await seenThere(token)).toBeUndefined();
  });

  test('what one takes away, the other soon knows', async () => {
    const { token } = await signInHere();
    const identity = await there?.identities.ofSession(token);
    const less = { roles: ['administrator' as const], stores: 'all' as const };
    await (here as Program).requests.staff.changeRoles(memberId, less, by('less'));
    expect(await here?.identities.ofSession(token)).toBeUndefined();
    await waitUntil(async () => (await seenThere(token)) === undefined);
    expect(await identity?.holds()).toBe(false);
    const { token: again } = await signInHere();
    expect((await seenThere(again))?.roles).toEqual(['administrator']);
  });
});

test('while the log cannot be read, what was known last counts; where nothing is known, nobody is let in', async () => {
  const events = await openEmbeddedStore();
  const sessions = await openSessions({});
  let isAway = false;
  const away: Pick<EventStore, 'readStream' | 'head'> = {
    head: () => events.head(),
    async *readStream(...asked) {
      if (isAway) throw new StoreUnavailable('the log is away');
      yield* events.readStream(...asked);
    },
  };
  const identities = new Identities({ streams: new StreamCache(away), sessions, clock });
  expect(await identities.isTrial()).toBe(true);
  isAway = true;
  const began = performance.now();
  await waitUntil(() => performance.now() - began > 600);
  expect(await identities.isTrial()).toBe(true);
  const blind = new Identities({ streams: new StreamCache(away), sessions, clock });
  await expect(blind.isTrial()).rejects.toThrow(StoreUnavailable);
  await sessions.close();
  await events.close();
});
