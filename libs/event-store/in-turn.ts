/** Makes a call when its turn has come. `isFirst`: somebody waits for it, so it goes before the others. */
export type InTurn = <Result>(call: () => Promise<Result>, isFirst?: boolean) => Promise<Result>;

/** After so many calls that go first, one of the others has its turn: however many there are, none waits without end. */
const MOST_FIRST_IN_A_ROW = 4;

/** Lets this many calls run at a time. The others wait, and run in the order in which they came. */
export function callsInTurn(most: number): InTurn {
  const [first, others]: readonly [(() => void)[], (() => void)[]] = [[], []];
  let [running, firstInARow] = [0, 0];
  const next = () => {
    const isFirst = first.length > 0 && (others.length === 0 || firstInARow < MOST_FIRST_IN_A_ROW);
    firstInARow = isFirst ? firstInARow + 1 : 0;
    return (isFirst ? first : others).shift();
  };
  return async (call, isFirst = false) => {
    if (running < most) running += 1;
    else await new Promise<void>((begin) => (isFirst ? first : others).push(begin));
    try {
      return await call();
    } finally {
      const begin = next();
      if (begin) begin();
      else running -= 1;
    }
  };
}

/** Like {@link callsInTurn}, and each name has few calls at a time: who asks very often waits for itself, and nobody else for it. */
export function callsInTurnOfEach(
  most: number,
  mostOfEach = 1,
): <Result>(name: string, call: () => Promise<Result>) => Promise<Result> {
  const inTurn = callsInTurn(most);
  const each = new Map<string, { readonly inTurn: InTurn; asking: number }>();
  return async (name, call) => {
    const own = each.get(name) ?? { inTurn: callsInTurn(mostOfEach), asking: 0 };
    each.set(name, own);
    own.asking += 1;
    try {
      return await own.inTurn(() => inTurn(call));
    } finally {
      own.asking -= 1;
      if (own.asking === 0) each.delete(name);
    }
  };
}

/**
 * One call for all who ask at the same time. Who asks while a call is under way shares the next one with all others who do:
 * the answer is never older than the question.
 */
export function askedTogether<Answer>(ask: () => Promise<Answer>): () => Promise<Answer> {
  let underWay: Promise<unknown> | undefined;
  let next: Promise<Answer> | undefined;
  const begin = () => {
    next = undefined;
    const answer = ask();
    const ended = () => {
      if (underWay === answer) underWay = undefined;
    };
    underWay = answer;
    answer.then(ended, ended);
    return answer;
  };
  return () => {
    if (!next && !underWay) return begin();
    next ??= (underWay as Promise<unknown>).then(begin, begin);
    return next;
  };
}
