import { failureIn } from './failures.ts';

const error = (members: object) => Object.assign(new Error('the card of ada@example.org'), members);

describe('what is told of a failed call', () => {
  it.each([
    [{ statusCode: 429, code: 'rate_limit' }, 'it answered 429'],
    [{ responseCode: 535, code: 'EAUTH' }, 'it answered 535'],
    [{ code: 'ECONNREFUSED' }, 'it failed with ECONNREFUSED'],
    [{ code: 'ENOTFOUND' }, 'it failed with ENOTFOUND'],
    [{ cause: error({ code: 'ECONNRESET' }) }, 'it failed with ECONNRESET'],
    [{ detail: error({ code: 'ETIMEDOUT' }) }, 'it failed with ETIMEDOUT'],
    [{ code: 'ada@example.org', statusCode: 4_242 }, 'it failed'],
    [{}, 'it failed'],
  ])('%j: codes that are known, and never its text', (members, told) => {
    expect(failureIn(error(members))).toBe(told);
  });
});
