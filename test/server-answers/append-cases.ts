import { randomUUID } from 'node:crypto';
import type { Proposed, RawCalls } from './raw-calls.ts';
import { type Cases, count, events, ids, type Served } from './served.ts';

/** Each is asked twice: as a single append, and as a batch. */
export const appendCases: Cases = {
  'an append of no event': async (s) => both(s, ({ append, stream }) => append({ stream, events: [] })),
  'an append of no event to a stream': async (s) =>
    both(s, async ({ append, stream }) => {
      await append({ stream, events: events(3) });
      return [await append({ stream, events: [] }), await append({ stream, events: [], expected: 7n })];
    }),
  'an append at every wrong revision': async (s) =>
    both(s, async ({ append, stream }) => {
      const none = [
        await append({ stream, events: events(1), expected: 4n }),
        await append({ stream, events: events(1), expected: 'stream-exists' }),
      ];
      await append({ stream, events: events(3) });
      const some = [
        await append({ stream, events: events(1), expected: 4n }),
        await append({ stream, events: events(1), expected: 0n }),
        await append({ stream, events: events(1), expected: 'no-stream' }),
      ];
      return [...none, ...some];
    }),
  'the same id twice in an append': async (s) =>
    both(s, async ({ append, stream, calls }) => {
      const id = randomUUID();
      return [await append({ stream, events: [{ id }, { id }] }), await calls.read({ stream, count })];
    }),
  'an append again': async (s) =>
    both(s, async ({ append, stream }) => {
      const [one, two, more] = [ids(2), ids(2), ids(1)];
      return [
        await append({ stream, events: one, expected: 'no-stream' }),
        await append({ stream, events: two, expected: 1n }),
        await append({ stream, events: one, expected: 'no-stream' }),
        await append({ stream, events: two, expected: 1n }),
        await append({ stream, events: [...two, ...more], expected: 1n }),
        await append({ stream, events: [two[0] as Proposed, ...more], expected: 1n }),
        await append({ stream, events: one, expected: 'any' }),
        await append({ stream, events: one, expected: 'stream-exists' }),
        await append({ stream, events: [...one, ...more], expected: 'any' }),
        await append({ stream, events: [...more, ...one], expected: 'any' }),
        await append({ stream, events: [one[1] as Proposed], expected: 'any' }),
        await append({ stream, events: one, expected: 3n }),
      ];
    }),
  'the same id in two streams': async (s) =>
    both(s, async ({ append, stream }) => {
      const one = ids(1);
      return [
        await append({ stream, events: one }),
        await append({ stream: `${stream}b`, events: one }),
        await append({ stream, events: one }),
      ];
    }),
  'an append of 5,000 events': async (s) => both(s, ({ append, stream }) => append({ stream, events: small(5_000) })),
  'an append at the limit of bytes': async (s) =>
    both(s, async ({ append, stream }) => [
      await append({ stream, events: [{ type: 't', data: new Uint8Array(1024 * 1024), json: false }] }),
      await append({ stream, events: [{ type: 'tt', data: new Uint8Array(1024 * 1024 - 2), metadata: 'm' }] }),
      await append({ stream, events: [{ type: 't', data: new Uint8Array(1024 * 1024 + 1), json: false }] }),
      await append({ stream, events: Array.from({ length: 3 }, () => ({ data: new Uint8Array(400_000) })) }),
    ]),
  'an append with long and reserved names': async (s) =>
    both(s, async ({ append, stream, calls }) => [
      await append({ stream: stream + 'x'.repeat(600), events: [{ type: 't'.repeat(600) }] }),
      await append({ stream: `$${stream}`, events: [{ type: '$t' }] }),
      await calls.read({ stream: `$${stream}`, count }),
      await append({ stream, events: [{ type: '' }] }),
      await calls.read({ stream, count }),
    ]),
  'an append to a stream without name': async (s) => both(s, ({ append }) => append({ stream: '', events: events(1) })),
  'an id that is not a UUID': async (s) => both(s, ({ append, stream }) => append({ stream, events: [{ id: 'x' }] })),
  'an id in upper case': async (s) =>
    both(s, async ({ append, stream }) => {
      const id = randomUUID();
      return [
        await append({ stream, events: [{ id: id.toUpperCase() }], expected: 'no-stream' }),
        await append({ stream, events: [{ id }], expected: 'no-stream' }),
      ];
    }),
  'contents that say what they are': async (s) =>
    both(s, async ({ append, stream, calls }) => {
      const contents = ['"text"', '[1]', '1', 'null', '{ "a": 1 }', '', 'not json'];
      await append({ stream, events: contents.map((data) => ({ data })) });
      await append({ stream, events: [{ data: '{"a":1}', json: false }] });
      return calls.read({ stream, count });
    }),
};

type Appending = Served & { append: RawCalls['append'] };

async function both({ calls, stream }: Served, answer: (served: Appending) => Promise<unknown>) {
  return {
    single: await answer({ calls, stream, append: (call) => calls.append(call) }),
    batch: await answer({ calls, stream: `${stream}-batch`, append: (call) => calls.batchAppend(call) }),
  };
}

const small = (length: number): Proposed[] => Array.from({ length }, () => ({ type: 't', data: '' }));
