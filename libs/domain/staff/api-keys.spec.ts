import { given, minute } from '#test/given';
import { type ApiKeyEvent, apiKeys, opensWith } from './api-keys.ts';

const [FIRST, SECOND] = ['a'.repeat(43), 'b'.repeat(43)];
const grant = { name: 'landing page', roles: ['lead-source' as const], stores: 'all' as const, expiresAt: minute(60) };
const issued: ApiKeyEvent = { type: 'ApiKeyIssued', data: { at: minute(0), keyId: 'k1', secretHash: FIRST, ...grant } };
const rotated: ApiKeyEvent = {
  type: 'ApiKeyRotated',
  data: { at: minute(10), keyId: 'k1', secretHash: SECOND, formerUntil: minute(20), expiresAt: minute(90) },
};
const revoked: ApiKeyEvent = { type: 'ApiKeyRevoked', data: { at: minute(30), keyId: 'k1' } };
const rotate = { type: 'RotateApiKey', ...rotated.data } as const;

const opened = (past: readonly ApiKeyEvent[], secretHash: string, at: number) =>
  opensWith(
    given(apiKeys, ...past)
      .state()
      .get('k1') as never,
    secretHash,
    minute(at),
  );

test('a key is issued once', () =>
  given(apiKeys)
    .when({ type: 'IssueApiKey', ...issued.data } as never)
    .thenRecords(issued));

test('a key opens with its secret until it expires', () => {
  expect([opened([issued], FIRST, 59), opened([issued], SECOND, 59), opened([issued], FIRST, 60)]).toEqual([
    true,
    false,
    false,
  ]);
});

test('a key that is rotated opens with both secrets for a while', () => {
  given(apiKeys, issued)
    .when(rotate as never)
    .thenRecordsEachTime(rotated);
  const at = (minutes: number) => [FIRST, SECOND].map((secret) => opened([issued, rotated], secret, minutes));
  expect([at(19), at(20), at(89), at(90)]).toEqual([
    [true, true],
    [false, true],
    [false, true],
    [false, false],
  ]);
});

test('a key that was revoked opens with no secret, and gets no other one', () => {
  given(apiKeys, issued)
    .when({ type: 'RevokeApiKey', at: minute(30), keyId: 'k1' })
    .thenRecords(revoked);
  expect([FIRST, SECOND].map((secret) => opened([issued, rotated, revoked], secret, 15))).toEqual([false, false]);
  given(apiKeys, issued, revoked)
    .when(rotate as never)
    .thenRefuses('api-key-revoked');
});

test('nothing is done with a key that does not exist', () => {
  given(apiKeys)
    .when(rotate as never)
    .thenRefuses('api-key-unknown');
});
