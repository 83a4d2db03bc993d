import { setImmediate as nextTurn } from 'node:timers/promises';
import { Lookahead } from './lookahead.ts';

describe('a look ahead', () => {
  const rejected: unknown[] = [];
  const note = (reason: unknown) => rejected.push(reason);
  beforeEach(() => process.on('unhandledRejection', note));
  afterEach(() => process.off('unhandledRejection', note));

  it('that fails while nobody takes its item says so when somebody does, and does not end the program', async () => {
    async function* items() {
      yield 1;
      throw new Error('the log was replaced');
    }
    const ahead = new Lookahead(items());
    expect(await ahead.next()).toBe(1);
    await nextTurn();
    await nextTurn();
    expect(rejected).toEqual([]);
    await expect(ahead.next()).rejects.toThrow('the log was replaced');
  });
});
