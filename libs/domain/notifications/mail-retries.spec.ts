import { addDays, addSeconds } from '../kernel/instants.ts';
import { nextTry } from './mail-retries.ts';

const START = '2026-05-01T10:00:00.000Z';

/** Seconds between the attempts of a mail that always fails. */
function delays(isConfirmed: boolean): number[] {
  const seconds: number[] = [];
  let now = START;
  for (let attempts = 1; ; attempts += 1) {
    const next = nextTry({ attempts, unconfirmed: isConfirmed ? 0 : attempts, since: START }, isConfirmed, now);
    if (next === undefined) return seconds;
    seconds.push((Date.parse(next) - Date.parse(now)) / 1000);
    now = next;
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

describe('a mail that cannot be sent', () => {
  it('NTF-4: is tried again after minutes, then at growing times of half an hour and more, the last time after five days', () => {
    const all = delays(true);
    expect(all.slice(0, 5)).toEqual([300, 1800, 3600, 7200, 14_400]);
    expect(all.slice(1).every((seconds, index) => seconds >= (all[index] as number) || index === all.length - 2)).toBe(
      true,
    );
    expect(all.length).toBeLessThan(40);
    expect(sum(all)).toBe(5 * 86_400);
  });

  it('NTF-3: which the server may have taken, is sent seven times in five days', () => {
    const all = delays(false);
    expect(all.slice(0, 3)).toEqual([1800, 86_400, 86_400]);
    expect([all.length, sum(all)]).toEqual([6, 5 * 86_400]);
  });

  it('is tried once when the store was switched off until the five days were over, and then given up', () => {
    const tries = { attempts: 2, unconfirmed: 0, since: START };
    expect(nextTry(tries, true, addDays(START, 9))).toBeUndefined();
    expect(nextTry(tries, true, addSeconds(addDays(START, 5), -1))).toBe(addDays(START, 5));
  });
});
