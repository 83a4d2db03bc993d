import { askedTogether, callsInTurn, callsInTurnOfEach } from './in-turn.ts';

/** Calls that end when the test says so. */
function heldCalls() {
  const begun: string[] = [];
  const ends = new Map<string, ReturnType<typeof Promise.withResolvers<string>>>();
  const call = (name: string) => () => {
    begun.push(name);
    const held = Promise.withResolvers<string>();
    ends.set(name, held);
    return held.promise;
  };
  return {
    begun,
    call,
    end: (name: string) => ends.get(name)?.resolve(name),
    fail: (name: string) => ends.get(name)?.reject(new Error(name)),
  };
}

describe('calls in turn', () => {
  it('begin in the order in which they came, as many at a time as are allowed', async () => {
    const { begun, call, end } = heldCalls();
    const inTurn = callsInTurn(2);
    const results = ['a', 'b', 'c', 'd'].map((name) => inTurn(call(name)));
    expect(begun).toEqual(['a', 'b']);
    end('b');
    await results[1];
    expect(begun).toEqual(['a', 'b', 'c']);
    for (const name of ['a', 'c']) end(name);
    await Promise.all([results[0], results[2]]);
    end('d');
    expect(await Promise.all(results)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('that somebody waits for begin before the others, but for one of the others after each four of them', async () => {
    const inTurn = callsInTurn(1);
    const begun: string[] = [];
    const ask = (name: string, isFirst: boolean) =>
      inTurn(async () => {
        begun.push(name);
      }, isFirst);
    const others = ['a', 'b', 'c', 'd'].map((name) => ask(name, false));
    const first = ['1', '2', '3', '4', '5', '6'].map((name) => ask(name, true));
    await Promise.all([...others, ...first]);
    expect(begun.join('')).toBe('a1234b56cd');
  });

  it('a call that fails gives its turn to the next', async () => {
    const { begun, call, end, fail } = heldCalls();
    const inTurn = callsInTurn(1);
    const [first, second] = ['a', 'b'].map((name) => inTurn(call(name)));
    fail('a');
    await expect(first).rejects.toThrow('a');
    expect(begun).toEqual(['a', 'b']);
    end('b');
    expect(await second).toBe('b');
  });
});

describe('a question that many ask', () => {
  it('is asked once more for all who asked while it was under way, and never answered with what was known before', async () => {
    let asked = 0;
    const first = Promise.withResolvers<void>();
    const ask = askedTogether(async () => {
      asked += 1;
      const answer = asked;
      if (answer === 1) await first.promise;
      return answer;
    });
    const early = ask();
    const late = [ask(), ask(), ask()];
    first.resolve();
    expect(await early).toBe(1);
    expect(await Promise.all(late)).toEqual([2, 2, 2]);
    expect(await ask()).toBe(3);
  });

  it('is asked again after it failed', async () => {
    let asked = 0;
    const ask = askedTogether(async () => {
      asked += 1;
      if (asked === 1) throw new Error('away');
      return asked;
    });
    const [first, second] = [ask(), ask()];
    await expect(first).rejects.toThrow('away');
    expect(await second).toBe(2);
  });
});

test('one who makes many calls waits for itself: the call of another begins at once, and gives its turn back', async () => {
  const { begun, call, end } = heldCalls();
  const inTurn = callsInTurnOfEach(2);
  const many = ['a', 'b', 'c'].map((name) => inTurn('one', call(name)));
  const other = inTurn('other', call('d'));
  expect(begun).toEqual(['a', 'd']);
  end('a');
  await many[0];
  expect(begun).toEqual(['a', 'd', 'b']);
  for (const name of ['b', 'd']) end(name);
  await Promise.all([many[1], other]);
  end('c');
  expect(await many[2]).toBe('c');
});
