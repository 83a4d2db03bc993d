import { describeWithPostgres, freshDatabase } from '#test/postgres/database';
import { countersInMemory, openAttemptCounters } from '#wiring/attempt-counters';
import type { Problem } from './problems.ts';
import { pauseAfter, SignInThrottle } from './sign-in-throttle.ts';

const vault = { personKey: (kind: string, text: string) => `${kind} ${text}` };
const OWNER = 'owner@example.org';

let throttle: SignInThrottle;
beforeEach(() => {
  throttle = new SignInThrottle(countersInMemory(), vault);
});

/** What is answered. `wait`: with the seconds to wait. */
async function tryFrom(network: string, { account = OWNER, isRight = false } = {}): Promise<'in' | 'wrong' | 'wait'> {
  try {
    const isIn = await throttle.attempt(
      network,
      account,
      async () => isRight,
      (answer) => !answer,
    );
    return isIn ? 'in' : 'wrong';
  } catch (error) {
    const { code, particulars } = error as Problem;
    expect([code, particulars.retryAfterSeconds]).toEqual(['too-many-attempts', expect.any(Number)]);
    return 'wait';
  }
}

async function tries(count: number, network: (index: number) => string) {
  const answers = [];
  for (let index = 0; index < count; index++) answers.push(await tryFrom(network(index)));
  return answers;
}

test('after five failures from one network, the sixth begins a pause, in which none is heard, not even the right one', async () => {
  expect(await tries(6, () => 'a')).toEqual(['wrong', 'wrong', 'wrong', 'wrong', 'wrong', 'wrong']);
  expect(await tries(2, () => 'a')).toEqual(['wait', 'wait']);
  expect(await tryFrom('a', { isRight: true })).toBe('wait');
});

test('the form of an address does not give it another count', async () => {
  await tries(6, () => 'a');
  expect(await tryFrom('a', { account: 'OWNER@EXAMPLE.ORG' })).toBe('wait');
});

test('many attempts at once are no more than one after the other', async () => {
  const answers = await Promise.all(Array.from({ length: 400 }, () => tryFrom('a')));
  expect(answers.filter((answer) => answer === 'wrong')).toHaveLength(6);
});

test('a stranger does not keep the owner out who comes from another network, and may err there', async () => {
  await tries(20, () => 'stranger');
  expect(await tryFrom('home')).toBe('wrong');
  expect(await tryFrom('home', { isRight: true })).toBe('in');
});

test('while many networks guess, each has one free attempt; the owner gets in from any, and may err where it is known', async () => {
  expect(await tryFrom('home', { isRight: true })).toBe('in');
  await tries(60, (index) => `bot ${index}`);
  expect(await tries(3, () => 'bot 60')).toEqual(['wrong', 'wrong', 'wait']);
  expect(await tryFrom('hotel', { isRight: true })).toBe('in');
  expect(await tries(5, () => 'home')).toEqual(['wrong', 'wrong', 'wrong', 'wrong', 'wrong']);
});

test('a network that guesses at many accounts is stopped, but not where it is known', async () => {
  expect(await tryFrom('office', { isRight: true })).toBe('in');
  for (let index = 0; index < 100; index++) await tryFrom('office', { account: `${index}@example.org` });
  expect(await tryFrom('office', { account: 'other@example.org' })).toBe('wait');
  expect(await tryFrom('office', { isRight: true })).toBe('in');
});

test('who signs in, has all attempts again, and does not count against its network', async () => {
  for (let round = 0; round < 30; round++) {
    expect(await tries(4, () => 'a')).toEqual(['wrong', 'wrong', 'wrong', 'wrong']);
    expect(await tryFrom('a', { isRight: true })).toBe('in');
  }
});

test('a check that could not be made counts as no attempt', async () => {
  const away = () => Promise.reject(new Error('the store is away'));
  for (let index = 0; index < 20; index++)
    await expect(throttle.attempt('a', OWNER, away, () => true)).rejects.toThrow('away');
  expect(await tries(5, () => 'a')).toEqual(['wrong', 'wrong', 'wrong', 'wrong', 'wrong']);
});

test('links to set a password are limited for each network and account, and the first one from a network is always sent', async () => {
  const recover = (network: string, account = OWNER) =>
    throttle.recovery(network, account).then(
      () => 'sent',
      ({ code }: Problem) => code,
    );
  for (let index = 0; index < 5; index++) expect(await recover('a')).toBe('sent');
  expect(await recover('a')).toBe('too-many-attempts');
  expect(await recover('a', 'other@example.org')).toBe('sent');
  for (let index = 0; index < 40; index++) expect(await recover(`bot ${index}`)).toBe('sent');
  expect(await recover('bot 1')).toBe('too-many-attempts');
  expect(await recover('home')).toBe('sent');
});

test('pauses grow, and end at a quarter of an hour', () => {
  expect([1, 2, 3, 4, 5, 6, 7, 100].map(pauseAfter)).toEqual([30, 60, 120, 240, 480, 900, 900, 900]);
});

describeWithPostgres('programs that share a PostgreSQL', () => {
  it('count together', async () => {
    const { url, drop } = await freshDatabase();
    const counters = await Promise.all([
      openAttemptCounters({ databaseUrl: url }),
      openAttemptCounters({ databaseUrl: url }),
    ]);
    const programs = counters.map((one) => new SignInThrottle(one, vault));
    const wrong = (program: SignInThrottle | undefined) =>
      program?.attempt(
        'a',
        OWNER,
        async () => 'wrong',
        () => true,
      );
    for (let index = 0; index < 6; index++) expect(await wrong(programs[index % 2])).toBe('wrong');
    for (const program of programs) await expect(wrong(program)).rejects.toThrow('too many attempts');
    await Promise.all(counters.map((one) => one.close()));
    await drop();
  });
});

test('somebody who has the password does not guess codes from one network after the other', async () => {
  const guessFrom = (network: string) =>
    throttle
      .attempt(
        network,
        OWNER,
        async () => 'factor-wrong',
        () => true,
        (answer) => answer === 'factor-wrong',
      )
      .catch(({ code }: Problem) => code);
  const right = (network: string) => tryFrom(network, { isRight: true });
  expect(await right('home')).toBe('in');
  const answers = [];
  for (let network = 0; network < 31; network++) answers.push(await guessFrom(`bot ${network}`));
  expect(answers).toEqual([...Array(30).fill('factor-wrong'), 'too-many-attempts']);
  expect([await right('hotel'), await right('home'), await right('hotel')]).toEqual(['wait', 'in', 'in']);
});

test('somebody who has a session does not guess from one network after the other, either, nor many times at once', async () => {
  const guesses = Array.from({ length: 60 }, (_, network) =>
    throttle
      .attemptSignedIn(
        `bot ${network}`,
        'staff:ada',
        async () => false,
        (isRight) => !isRight,
      )
      .catch(({ code }: Problem) => code),
  );
  expect((await Promise.all(guesses)).filter((answer) => answer === false)).toHaveLength(30);
});
