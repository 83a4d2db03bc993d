import { OutageCount } from './outages.ts';

describe('the outages of a server', () => {
  test('are counted, with their seconds, also while one lasts', () => {
    const outages = new OutageCount();
    expect(outages.upTo(500)).toEqual({ count: 0, awaySeconds: 0 });
    outages.began(1000);
    expect(outages.upTo(3000)).toEqual({ count: 1, awaySeconds: 2 });
    outages.ended(6000);
    expect(outages.upTo(9000)).toEqual({ count: 1, awaySeconds: 5 });
    outages.began(10_000);
    outages.ended(11_000);
    expect(outages.upTo(20_000)).toEqual({ count: 2, awaySeconds: 6 });
  });

  test('that two watchers see are one, from the first word to the last', () => {
    const outages = new OutageCount();
    outages.began(1000);
    outages.began(2000);
    outages.ended(3000);
    expect(outages.upTo(4000)).toEqual({ count: 1, awaySeconds: 3 });
    outages.ended(5000);
    expect(outages.upTo(6000)).toEqual({ count: 1, awaySeconds: 4 });
  });
});
