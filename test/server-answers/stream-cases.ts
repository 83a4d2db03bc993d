import type { ReadCall } from './raw-calls.ts';
import { type Cases, count, events, follow, type Served, three } from './served.ts';

export const streamCases: Cases = {
  'a read of a stream that does not exist': async ({ calls, stream }) => calls.read({ stream, count }),
  'a read of a stream that does not exist, backwards': async ({ calls, stream }) =>
    calls.read({ stream, count, from: 'end', backwards: true }),
  'a read of a stream': async (s) => read(s, {}),
  'a read of a stream with its ends': async (s) => read(s, { compatibility: 1 }),
  'a part of a stream with its ends': async (s) => read(s, { compatibility: 1, count: 1 }),
  'a read of a stream backwards with its ends': async (s) =>
    read(s, { compatibility: 1, from: 'end', backwards: true }),
  'a read beyond the end with the ends': async (s) => read(s, { compatibility: 1, from: 9n }),
  'a read of a stream from the end': async (s) => read(s, { from: 'end' }),
  'a read of a stream beyond the end': async (s) => read(s, { from: 9n }),
  'a read of a stream backwards beyond the end': async (s) => read(s, { from: 9n, backwards: true }),
  'a read of a stream backwards from a revision': async (s) => read(s, { from: 1n, backwards: true }),
  'a read of a stream backwards from the start': async (s) => read(s, { backwards: true }),
  'a read of no event of a stream': async (s) => read(s, { count: 0 }),
  'a read of no event of a stream backwards': async (s) => read(s, { count: 0, from: 'end', backwards: true }),
  'a read of a stream with a filter': async (s) => read(s, { filter: { on: 'type', prefixes: ['x'] } }),
  'a read of a stream without name': async ({ calls }) => calls.read({ stream: '', count }),
  'a subscription to a stream with a filter': async ({ calls, stream }) =>
    calls.read({ stream, filter: { on: 'type', prefixes: ['x'] } }),
  'a subscription to a stream backwards': async ({ calls, stream }) => calls.read({ stream, backwards: true }),
  'a subscription to a stream': async (s) => {
    await three(s);
    return follow(s, { stream: s.stream }, 6, () => s.calls.append({ stream: s.stream, events: events(1) }));
  },
  'a subscription to a stream after a revision': async (s) => {
    await three(s);
    return s.calls.read({ stream: s.stream, from: 1n }, (all) => all.length === 3);
  },
  'a subscription to a stream from the end': async (s) => {
    await three(s);
    return follow(s, { stream: s.stream, from: 'end' }, 3, () =>
      s.calls.append({ stream: s.stream, events: events(1) }),
    );
  },
  'a subscription to a stream beyond its end': async (s) => {
    await three(s);
    return follow(s, { stream: s.stream, from: 4n }, 3, () => s.calls.append({ stream: s.stream, events: events(3) }));
  },
  'a subscription to a stream that does not exist yet': async (s) => {
    const begin = () => s.calls.append({ stream: s.stream, events: events(1) });
    return follow(s, { stream: s.stream }, 3, begin, 'confirmation');
  },
};

async function read({ calls, stream }: Served, call: Partial<ReadCall>) {
  await three({ calls, stream });
  return calls.read({ stream, count, ...call });
}
