import { type Cases, count, events, follow, json, type Served, three } from './served.ts';

/** A position within a record. */
async function nowhere(served: Served): Promise<bigint> {
  await three(served);
  return (await served.calls.positionOf(served.stream)) - 1n;
}

const BEYOND = 10n ** 12n;
/** A number that no position of a server has. */
const IMPOSSIBLE = 2n ** 63n;

export const logCases: Cases = {
  // $all
  'a read of $all where no record begins': async (s) => s.calls.read({ from: await nowhere(s), count }),
  'a read of $all backwards where no record begins': async (s) =>
    s.calls.read({ from: await nowhere(s), count, backwards: true }),
  'a read of $all between two records': async (s) => {
    await three(s);
    return s.calls.read({ from: (await s.calls.positionOf(s.stream)) - 1n, count });
  },
  'a read of $all at the last record': async (s) => {
    await three(s);
    return s.calls.read({ from: await s.calls.positionOf(s.stream), count });
  },
  'a read of $all backwards at the last record': async (s) => {
    await three(s);
    return s.calls.read({ from: await s.calls.positionOf(s.stream), count: 2, backwards: true });
  },
  'a read of $all beyond the end': async ({ calls }) => calls.read({ from: BEYOND, count }),
  'a read of $all backwards beyond the end': async ({ calls }) => calls.read({ from: BEYOND, count, backwards: true }),
  'a read of $all at the greatest position': async ({ calls }) => calls.read({ from: IMPOSSIBLE - 1n, count }),
  'a read of $all at an impossible position': async ({ calls }) => calls.read({ from: IMPOSSIBLE, count }),
  'a read of $all backwards at an impossible position': async ({ calls }) =>
    calls.read({ from: IMPOSSIBLE, count, backwards: true }),
  'a filtered read at an impossible position': async ({ calls }) =>
    calls.read({ from: IMPOSSIBLE, count, filter: { on: 'stream', prefixes: ['x'] } }),
  'a subscription to $all at an impossible position': async ({ calls }) => calls.read({ from: IMPOSSIBLE }),
  'a read of $all from the end': async ({ calls }) => calls.read({ from: 'end', count }),
  'a read of $all backwards from the start': async ({ calls }) => calls.read({ from: 'start', count, backwards: true }),
  'the first event of $all': async ({ calls }) => calls.read({ count: 1 }),
  'a filtered read of $all by the beginning of a stream': async (s) => {
    await three(s);
    return s.calls.read({ count: 2, filter: { on: 'stream', prefixes: [s.stream] } });
  },
  'a filtered read of $all backwards': async (s) => {
    await three(s);
    return s.calls.read({ from: 'end', backwards: true, count: 2, filter: { on: 'stream', prefixes: [s.stream] } });
  },
  'a filtered read of $all by type': async ({ calls, stream }) => {
    await calls.append({ stream, events: [json(0), { type: `T${stream}` }, { type: `T${stream}b` }] });
    return [
      await calls.read({ count, filter: { on: 'type', regex: `^(T${stream})$` } }),
      await calls.read({ count, filter: { on: 'type', prefixes: [`T${stream}`] } }),
    ];
  },
  'a filtered read with a window': async (s) => {
    await three(s);
    return s.calls.read({ count: 2, filter: { on: 'stream', prefixes: [s.stream], window: 1 } });
  },
  'a filtered read from the end': async (s) =>
    s.calls.read({ from: 'end', count, filter: { on: 'stream', prefixes: ['x'] } }),
  'a filtered read where no record begins': async (s) =>
    s.calls.read({ from: await nowhere(s), count, filter: { on: 'stream', prefixes: ['x'] } }),
  'a filtered read with an invalid expression': async (s) =>
    s.calls.read({ count, filter: { on: 'stream', regex: '(' } }),
  'a filter of nothing': async (s) => s.calls.read({ count, filter: { on: 'stream' } }),
  'an empty list of prefixes': async (s) => s.calls.read({ count: 1, filter: { on: 'stream', prefixes: [] } }),

  // subscriptions to $all
  'a subscription to $all where no record begins': async (s) => s.calls.read({ from: await nowhere(s) }),
  'a subscription to $all beyond the end': async (s) => {
    return follow(s, { from: BEYOND }, 3, () => s.calls.append({ stream: s.stream, events: events(1) }));
  },
  'a filtered subscription beyond the end': async (s) => {
    return follow(s, { from: BEYOND, filter: { on: 'stream', prefixes: [s.stream] } }, 3, () =>
      s.calls.append({ stream: s.stream, events: events(1) }),
    );
  },
  'a filtered subscription where no record begins': async (s) =>
    s.calls.read({ from: await nowhere(s), filter: { on: 'stream', prefixes: [s.stream] } }),
  'a subscription to $all from the end': async (s) => {
    return follow(s, { from: 'end' }, 3, () => s.calls.append({ stream: s.stream, events: events(1) }));
  },
  'a subscription after the last record': async (s) => {
    await three(s);
    return follow(s, { from: await s.calls.positionOf(s.stream) }, 3, () =>
      s.calls.append({ stream: s.stream, events: events(1) }),
    );
  },
  'a filtered subscription': async (s) => {
    await three(s);
    return follow(s, { filter: { on: 'stream', prefixes: [s.stream] } }, 6, () =>
      s.calls.append({ stream: s.stream, events: events(1) }),
    );
  },
  'checkpoints of a filter while live': async (s) => {
    const filter = { on: 'stream' as const, prefixes: ['never'], window: 10, interval: 1 };
    let isOver = false;
    const appendUntilOver = async () => {
      while (!isOver) await s.calls.append({ stream: s.stream, events: events(10) });
    };
    let acted: Promise<unknown> | undefined;
    const seen = await s.calls.read({ from: 'end', filter }, (all) => {
      if (all.at(-1) === 'caught up') acted ??= appendUntilOver();
      isOver = all.filter((text) => text === 'checkpoint').length === 3;
      return isOver;
    });
    await acted;
    return [...new Set(seen)];
  },
  'a subscription with an invalid expression': async ({ calls }) =>
    calls.read({ filter: { on: 'stream', regex: '(' } }),
  'a subscription backwards': async ({ calls }) => calls.read({ backwards: true }),
  'a filtered subscription backwards': async ({ calls }) =>
    calls.read({ backwards: true, filter: { on: 'stream', prefixes: ['x'] } }),
};
