import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addDays, addSeconds } from '#domain/kernel/instants';
import { describeWithPostgres, freshDatabase } from '#test/postgres/database';
import {
  DAYS_OF_A_SIGN_IN,
  MOST_SIGN_INS_KEPT,
  openSessions,
  type Session,
  type SessionStore,
} from './session-store.ts';

const START = '2026-03-02T15:00:00.000Z';
const atMinute = (minutes: number) => addSeconds(START, minutes * 60);

const session = (number: number, changes: Partial<Session> = {}): Session => ({
  sessionId: `session-${number}`,
  tokenHash: `hash-${number}`,
  actor: 'staff:ada',
  credential: 'first',
  startedAt: atMinute(number),
  seenAt: atMinute(number),
  idleUntil: atMinute(30),
  endsAt: atMinute(60),
  factor: 'password',
  provedAt: atMinute(number),
  device: 'Firefox on Linux',
  ...changes,
});

interface Place {
  readonly open: () => Promise<SessionStore>;
  readonly remove: () => Promise<void>;
}

/** What every store of sessions must do. */
function contractOf(name: string, place: () => Promise<Place>): void {
  describe(name, () => {
    let sessions: SessionStore;
    let other: SessionStore;
    let made: Place;
    beforeAll(async () => {
      made = await place();
      sessions = await made.open();
      other = await made.open();
    });
    afterEach(() => sessions.sweep('9999-12-31T00:00:00.000Z'));
    afterAll(async () => {
      await sessions.close();
      await other.close();
      await made.remove();
    });
    const found = async (store: SessionStore, now = atMinute(5)) =>
      (await store.findAmong(['hash-1', 'hash-2', 'hash-3'], now)).map(({ sessionId }) => sessionId).sort();

    it('finds what was started, also for another program', async () => {
      await sessions.start(session(1), 'browser-1');
      expect(await other.findAmong(['hash-1', 'hash-9'], START)).toEqual([session(1)]);
    });

    it('does not start a second session with a token', async () => {
      await sessions.start(session(1), 'browser-1');
      await expect(sessions.start(session(2, { tokenHash: 'hash-1' }), 'browser-1')).rejects.toThrow();
    });

    it('ends one at once, for every program, and only for its owner', async () => {
      await sessions.start(session(1), 'browser-1');
      expect(await found(other)).toEqual(['session-1']);
      expect(await sessions.end('staff:bob', 'session-1')).toBe(false);
      expect(await sessions.end('staff:ada', 'session-1')).toBe(true);
      expect([await found(other), await found(sessions)]).toEqual([[], []]);
      expect(await other.end('staff:ada', 'session-1')).toBe(false);
    });

    it('ends all of one actor, or all but one', async () => {
      for (const number of [1, 2]) await sessions.start(session(number), 'browser-1');
      await sessions.start(session(3, { actor: 'staff:bob' }), 'browser-1');
      expect(await sessions.endAllOf('staff:ada', 'session-2')).toBe(1);
      expect(await found(other)).toEqual(['session-2', 'session-3']);
      expect(await sessions.endAllOf('staff:ada')).toBe(1);
      expect(await found(other)).toEqual(['session-3']);
    });

    it('ends one that is not used, and one that is used all the time at its last instant', async () => {
      await sessions.start(session(1), 'browser-1');
      expect(await found(sessions, atMinute(30))).toEqual([]);
      await other.touch('session-1', atMinute(29), atMinute(59));
      expect(await found(sessions, atMinute(30))).toEqual(['session-1']);
      await other.touch('session-1', atMinute(58), atMinute(88));
      expect([await found(sessions, atMinute(59)), await found(sessions, atMinute(60))]).toEqual([['session-1'], []]);
    });

    it('does not start one again that ended while it was used', async () => {
      await sessions.start(session(1), 'browser-1');
      await sessions.end('staff:ada', 'session-1');
      await sessions.touch('session-1', atMinute(1), atMinute(31));
      expect(await found(sessions)).toEqual([]);
    });

    it('lists those of one actor that have not ended, the newest first', async () => {
      for (const number of [1, 2]) await sessions.start(session(number), 'browser-1');
      await sessions.start(session(3, { idleUntil: atMinute(4) }), 'browser-1');
      expect((await other.listOf('staff:ada', atMinute(5))).map(({ sessionId }) => sessionId)).toEqual([
        'session-2',
        'session-1',
      ]);
    });

    it('removes those that have ended by themselves, and no others', async () => {
      await sessions.start(session(1), 'browser-1');
      await sessions.start(session(2, { idleUntil: atMinute(4) }), 'browser-1');
      await sessions.sweep(atMinute(5));
      expect(await found(sessions, START)).toEqual(['session-1']);
    });

    it('goes on with another token and another factor, unless it has ended', async () => {
      await sessions.start(session(1), 'browser-1');
      const renewed = { tokenHash: 'hash-3', credential: 'second', factor: 'totp', provedAt: atMinute(4) } as const;
      expect(await other.renew('session-1', renewed)).toBe(true);
      expect(await sessions.findAmong(['hash-1', 'hash-3'], START)).toEqual([session(1, renewed)]);
      await sessions.end('staff:ada', 'session-1');
      expect(await other.renew('session-1', renewed)).toBe(false);
    });

    it('takes a code once, and none that is older, whichever program got it', async () => {
      expect(await sessions.useStep('factor-1', 7)).toBe(true);
      expect([await other.useStep('factor-1', 7), await other.useStep('factor-1', 6)]).toEqual([false, false]);
      expect([await sessions.useStep('factor-2', 6), await other.useStep('factor-1', 8)]).toEqual([true, true]);
    });

    const signInsOf = async (actor: string) => (await other.signInsOf(actor)).map(({ sessionId }) => sessionId);

    it('remembers the newest sign-ins of an actor, also of sessions that ended, however many browsers there are', async () => {
      const last = MOST_SIGN_INS_KEPT + 4;
      const number = (index: number) => session(index, { tokenHash: `hash-${index}` });
      for (let index = 1; index <= last; index += 1) await sessions.start(number(index), `browser-${index}`);
      await sessions.endAllOf('staff:ada');
      const kept = Array.from({ length: MOST_SIGN_INS_KEPT }, (_, index) => `session-${last - index}`);
      expect(await signInsOf('staff:ada')).toEqual(kept);
      expect(await signInsOf('staff:bob')).toEqual([]);
      await sessions.sweep(addDays(atMinute(5), DAYS_OF_A_SIGN_IN));
      expect(await signInsOf('staff:ada')).toEqual(kept.slice(0, -1));
    });

    it('remembers a browser, however often another one signs in', async () => {
      const number = (index: number) => session(index, { tokenHash: `hash-${index}` });
      await sessions.start(number(1), 'laptop');
      for (let index = 2; index <= MOST_SIGN_INS_KEPT + 9; index += 1) await sessions.start(number(index), 'program');
      const kept = await other.signInsOf('staff:ada');
      expect([kept.length, kept.at(-1)?.browser]).toEqual([MOST_SIGN_INS_KEPT + 1, 'laptop']);
    });

    it('keeps nothing of an actor who was erased', async () => {
      await sessions.start(session(1), 'browser-1');
      await sessions.start(session(2, { actor: 'staff:bob' }), 'browser-1');
      await other.forget('staff:ada');
      expect([await found(sessions), await signInsOf('staff:ada')]).toEqual([['session-2'], []]);
      expect(await signInsOf('staff:bob')).toEqual(['session-2']);
    });

    it('knows whether any step of a factor was used', async () => {
      expect(await sessions.hasUsedStep('factor-3')).toBe(false);
      await sessions.useStep('factor-3', 1);
      expect(await other.hasUsedStep('factor-3')).toBe(true);
    });

    it('gives a challenge once, for its use, and in time, whichever program asks', async () => {
      const challenge = { challengeHash: 'challenge-1', use: 'sign-in', expiresAt: atMinute(5) };
      await sessions.addChallenge(challenge);
      expect(await other.takeChallenge('challenge-1', 'add session-1', atMinute(1))).toBe(false);
      expect(await other.takeChallenge('challenge-1', 'sign-in', atMinute(5))).toBe(false);
      expect(await other.takeChallenge('challenge-1', 'sign-in', atMinute(4))).toBe(true);
      expect(await sessions.takeChallenge('challenge-1', 'sign-in', atMinute(4))).toBe(false);
      await sessions.addChallenge(challenge);
      await sessions.sweep(atMinute(5));
      expect(await sessions.takeChallenge('challenge-1', 'sign-in', atMinute(1))).toBe(false);
    });

    it('remembers the last use of a key', async () => {
      await sessions.noteKeyUse('key-1', atMinute(2));
      await other.noteKeyUse('key-1', atMinute(1));
      expect((await sessions.keyUses()).get('key-1')).toBe(atMinute(2));
    });
  });
}

contractOf('sessions in a directory', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'leadger-sessions-spec-'));
  return {
    open: () => openSessions({ directory }),
    remove: async () => rmSync(directory, { recursive: true }),
  };
});

describeWithPostgres('with PostgreSQL', () =>
  contractOf('sessions that programs share', async () => {
    const { url, drop } = await freshDatabase();
    return { open: () => openSessions({ databaseUrl: url }), remove: drop };
  }),
);

test('sessions in a directory are there after a restart', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'leadger-sessions-spec-'));
  const first = await openSessions({ directory });
  await first.start(session(1), 'browser-1');
  await first.close();
  const second = await openSessions({ directory });
  expect(await second.findAmong(['hash-1'], START)).toEqual([session(1)]);
  await second.close();
  rmSync(directory, { recursive: true });
});
