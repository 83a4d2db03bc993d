import { argon2Sync } from 'node:crypto';
import { matches, TooManyPasswords, verifierOf } from './password-hash.ts';

/** As the versions before hashed a password: as it was sent. */
function verifierOfBefore(password: string) {
  const cost = { memory: 19_456, passes: 2, parallelism: 1 };
  const nonce = Buffer.alloc(16, 7);
  const tag = argon2Sync('argon2id', { message: password, nonce, tagLength: 32, ...cost });
  return { ...cost, salt: nonce.toString('base64'), tag: tag.toString('base64') };
}

const composed = 'Zo\u00eb and more';
const decomposed = 'Zoe\u0308 and more';

it.each([
  ['composed', composed],
  ['decomposed', decomposed],
])('a password is the same, however its letters are typed: %s', async (_, typed) => {
  for (const stored of [await verifierOf(composed), await verifierOf(decomposed)])
    expect(await matches(typed, stored)).toBe(true);
});

it('a password that a version before hashed as it was sent opens its account, in whatever form it is typed', async () => {
  for (const sent of [composed, decomposed]) {
    const stored = verifierOfBefore(sent);
    for (const typed of [composed, decomposed]) expect(await matches(typed, stored)).toBe(true);
    expect(await matches('Zoe and more', stored)).toBe(false);
  }
  expect(await matches('8 spaces\u00a0\u200b', verifierOfBefore('8 spaces\u00a0\u200b'))).toBe(true);
});

it('another password is another one, and nothing matches where there is no password', async () => {
  expect(await matches('zo\u00eb and more', await verifierOf(composed))).toBe(false);
  expect(await matches(composed, undefined)).toBe(false);
});

it('of very many passwords at once some are refused, those that are admitted are all checked, and later ones are, too', async () => {
  const asked = await Promise.allSettled(Array.from({ length: 100 }, () => matches('a password', undefined)));
  const refused = asked.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
  expect(refused.length).toBeGreaterThan(0);
  expect(refused.length).toBeLessThan(100);
  for (const { reason } of refused) expect(reason).toBeInstanceOf(TooManyPasswords);
  expect(await matches('a password', undefined)).toBe(false);
});
