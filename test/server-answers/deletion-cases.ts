import { type Cases, count, events, follow, readersKnow, type Served, three } from './served.ts';

/** Streams that are deleted or cut, and links. */
export const deletionCases: Cases = {
  'a deleted stream': async (s) => {
    await three(s);
    const { calls, stream } = s;
    const answers: unknown[] = [
      await calls.delete(stream, 1n),
      await calls.delete(stream, 2n),
      await calls.read({ stream, count }),
      await calls.read({ stream, count, from: 'end', backwards: true }),
      await calls.read({ stream: `$$${stream}`, count }),
      await calls.delete(stream),
      await calls.read({ stream: `$$${stream}`, count }),
      await calls.append({ stream, events: events(1), expected: 2n }),
    ];
    // A server answers before its readers know.
    await readersKnow();
    answers.push(
      await calls.read({ stream, count, compatibility: 1 }),
      await calls.read({ stream: `$$${stream}`, count }),
    );
    return answers;
  },
  'a deleted stream that is appended to as a new one': async (s) => {
    await three(s);
    const { calls, stream } = s;
    return [
      await calls.delete(stream),
      await calls.append({ stream, events: events(1), expected: 'stream-exists' }),
      await calls.append({ stream, events: events(1), expected: 1n }),
      await calls.append({ stream, events: events(2), expected: 'no-stream' }),
      await readersKnow(),
      await calls.read({ stream, count, compatibility: 1 }),
      await calls.read({ stream, count, from: 'end', backwards: true, compatibility: 1 }),
    ];
  },
  'deleting a stream that does not exist': async ({ calls, stream }) => [
    await calls.delete(stream),
    await calls.delete(stream, 'stream-exists'),
    await calls.delete(stream, 'no-stream'),
    await calls.delete(stream, 4n),
  ],
  'a tombstone': async (s) => {
    await three(s);
    const { calls, stream } = s;
    const tombstoned: string[] = [];
    const following = await follow(s, { stream }, 6, async () => {
      tombstoned.push(await calls.tombstone(stream, 1n), await calls.tombstone(stream, 2n));
    });
    return [
      tombstoned,
      following,
      await calls.read({ stream, count }),
      await calls.read({ stream }, (all) => all.length === 6),
      await calls.append({ stream, events: events(1) }),
      await calls.batchAppend({ stream, events: events(1) }),
      await calls.append({ stream, events: events(1), expected: 'no-stream' }),
      await calls.tombstone(stream),
      await calls.delete(stream),
      await calls.read({ count, filter: { on: 'stream', prefixes: [stream] } }),
      await calls.append({ stream: `$$${stream}`, events: [{ type: '$metadata' }] }),
      await calls.read({ stream: `$$${stream}`, count }),
    ];
  },
  'a tombstone of a stream that does not exist': async ({ calls, stream }) => [
    await calls.tombstone(stream, 'stream-exists'),
    await calls.tombstone(stream, 'no-stream'),
    await calls.read({ stream, count }),
  ],
  'a tombstone of a deleted stream': async (s) => {
    await three(s);
    return [
      await s.calls.delete(s.stream),
      await s.calls.tombstone(s.stream),
      await s.calls.read({ stream: s.stream, count }),
    ];
  },
  'a stream with the most events that it keeps': async (s) => cut(s, '{"$maxCount":2}'),
  'a stream that begins later': async (s) => cut(s, '{"$tb":2}'),
  'a stream that begins after its end': async (s) => cut(s, '{"$tb":9}'),
  'a stream with an age that has not come': async (s) => cut(s, '{"$maxAge":3600}'),
  'a stream with metadata of its own': async (s) => cut(s, '{"mine":1}'),
  'a stream with metadata that is no JSON': async (s) => cut(s, 'x'),
  'an append to a stream that is cut': async (s) => {
    await three(s);
    const { calls, stream } = s;
    await calls.append({ stream: `$$${stream}`, events: [{ type: '$metadata', data: '{"$maxCount":1}' }] });
    return [
      await calls.append({ stream, events: events(1), expected: 2n }),
      await calls.read({ stream, count, compatibility: 1 }),
      await calls.read({ stream, from: 0n, count: 1, compatibility: 1 }),
    ];
  },
  'a link': async (s) => {
    await three(s);
    const { calls, stream } = s;
    const links = `${stream}l`;
    await calls.append({
      stream: links,
      events: [`1@${stream}`, `9@${stream}`, '0@none', 'nonsense'].map((data) => ({ type: '$>', data, json: false })),
    });
    return [
      await calls.read({ stream: links, count }),
      await calls.read({ stream: links, count, resolveLinks: true }),
      await calls.read({ count, resolveLinks: true, filter: { on: 'stream', prefixes: [links] } }),
      await calls.read({ stream: links, resolveLinks: true }, (all) => all.length === 6),
    ];
  },
  'a link to a deleted stream': async (s) => {
    await three(s);
    const { calls, stream } = s;
    const links = `${stream}l`;
    await calls.append({ stream: links, events: [{ type: '$>', data: `1@${stream}`, json: false }] });
    await calls.delete(stream);
    return calls.read({ stream: links, count, resolveLinks: true });
  },
};

async function cut({ calls, stream }: Served, metadata: string) {
  await three({ calls, stream });
  return [
    await calls.append({ stream: `$$${stream}`, events: [{ type: '$metadata', data: metadata }] }),
    await calls.read({ stream, count, compatibility: 1 }),
    await calls.read({ stream, from: 'end', backwards: true, count, compatibility: 1 }),
    await calls.read({ stream }, (all) => all.at(-1) === 'caught up'),
  ];
}
