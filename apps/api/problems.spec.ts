import { AppendTooLarge, BadEvent, OutcomeUnknown, StoreFull, StoreUnavailable } from '#event-store/port';
import { DatabaseGone, StatementRefused } from '#read-models/errors';
import { TooMuchContention } from '#requests/addressed-command';
import { problemOf } from './problems.ts';

test.each([
  ['a full disk', new StoreFull('full'), 507, 'store-full', undefined],
  ['a store that is away', new StoreUnavailable('away'), 503, 'store-unavailable', 5],
  ['an append whose outcome is unknown', new OutcomeUnknown('who knows'), 503, 'outcome-unknown', 1],
  ['a database of read models that is gone', new DatabaseGone('gone'), 503, 'read-models-unavailable', 5],
  ['too many others on one stream', new TooMuchContention(), 503, 'too-much-contention', 1],
  ['more than an append may carry', new AppendTooLarge('large'), 413, 'append-too-large', undefined],
  ['a name that no store takes', new BadEvent('bad'), 400, 'bad-event', undefined],
])('%s has a status, a code, and an instant to ask again where that helps', (_, error, status, code, seconds) => {
  const problem = problemOf(error);
  expect(problem?.document()).toMatchObject({ status, code });
  expect(problem?.particulars.retryAfterSeconds).toBe(seconds);
});

test('an unforeseen error is not shown to the caller', () => {
  expect(problemOf(new Error('secret'))).toBeUndefined();
  expect(problemOf(new StatementRefused('syntax error', '42601'))).toBeUndefined();
  expect(problemOf(Object.assign(new Error('secret'), { statusCode: 500 }))).toBeUndefined();
});
