import { KeptResults } from './kept-results.ts';

describe('calls to the outside', () => {
  it('that have no answer yet are not made again by the engine that replaces the one that made them', async () => {
    const underWay = new Map();
    const [former, present] = [new KeptResults(underWay), new KeptResults(underWay)];
    const answer = Promise.withResolvers<undefined>();
    let calls = 0;
    const call = () => {
      calls += 1;
      return answer.promise;
    };
    const results = [former.of('mail-1', call), present.of('mail-1', call)];
    answer.resolve(undefined);
    await Promise.all(results);
    expect(calls).toBe(1);
    await present.of('mail-1', call);
    expect(calls).toBe(2);
  });
});
