import fc from 'fast-check';
import { logDigest } from '#audit/digest';
import { checkLaws } from '#audit/laws/laws';
import { decode } from '#domain/codec';
import { hashOfEvent } from '#event-store/event-hash';
import { differences } from './rows-and-folds.ts';
import { type Step, World } from './world.ts';

const small = fc.integer({ min: 0, max: 9 });
const happening: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('order' as const),
      customer: small,
      type: small,
      quantity: fc.integer({ min: 1, max: 5 }),
      joins: fc.boolean(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('leads' as const),
      type: small,
      count: fc.integer({ min: 1, max: 6 }),
      person: fc.integer({ min: 0, max: 29 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('pause' as const, 'restart' as const, 'cancel' as const),
      order: small,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('hold' as const, 'activate' as const, 'leave' as const),
      order: small,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('maximum' as const),
      order: small,
      leads: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('card' as const), order: small, pays: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('return' as const, 'grant' as const), delivery: small }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('deny' as const, 'goodwill' as const), delivery: small }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('correct' as const), delivery: small, toGranted: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('move' as const), customer: small, business: small }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), hours: fc.integer({ min: 1, max: 40 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), hours: fc.integer({ min: 100, max: 400 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('stand-still' as const), hours: fc.integer({ min: 1, max: 600 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('release' as const, 'skip' as const), order: small }) },
);
const crash: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('crash' as const),
  afterCommands: fc.integer({ min: 1, max: 25 }),
  carriedOut: fc.boolean(),
});

const steps = (step: fc.Arbitrary<Step>) => fc.array(step, { minLength: 5, maxLength: 30, size: 'max' });

async function withWorld(script: readonly Step[], check: (world: World) => Promise<void>): Promise<void> {
  const world = await World.create();
  try {
    await world.run(script);
    await check(world);
  } finally {
    await world.close();
  }
}

/** Milliseconds. Long, so that these tests pass on a slow machine. */
const LIMIT = 600_000;

const brokenLaws = async (world: World) => {
  const { laws, examples } = await checkLaws(world.events, { hashOf: hashOfEvent });
  return { counts: Object.entries(laws).filter(([, count]) => count > 0), examples };
};

/** Between what the rows and the histories say. */
const disagreements = async (world: World) => {
  const facts = [];
  for await (const recorded of world.events.readAll()) facts.push(decode(recorded));
  return differences(facts);
};

describe('whatever happens in a lead store', () => {
  it(
    'DLV-1 … DLV-10, LOY-1 … LOY-10, ORD-1 … ORD-6, RPL-2 … RPL-9: the laws hold, and no order waits for a lead in stock',
    async () => {
      await fc.assert(
        fc.asyncProperty(steps(happening), (script) =>
          withWorld(script, async (world) => {
            expect(await brokenLaws(world)).toEqual({ counts: [], examples: {} });
            expect(await world.missedDeliveries()).toEqual([]);
            expect(await disagreements(world)).toEqual([]);
          }),
        ),
        { numRuns: 25 },
      );
    },
    LIMIT,
  );

  it(
    'the same is true when the process crashes repeatedly at any moment',
    async () => {
      const step = fc.oneof({ weight: 3, arbitrary: happening }, { weight: 1, arbitrary: crash });
      await fc.assert(
        fc.asyncProperty(steps(step), (script) =>
          withWorld(script, async (world) => {
            expect(await brokenLaws(world)).toEqual({ counts: [], examples: {} });
            expect(await world.missedDeliveries()).toEqual([]);
            expect(await disagreements(world)).toEqual([]);
          }),
        ),
        { numRuns: 25 },
      );
    },
    LIMIT,
  );

  it('DLV-4: a lead is delivered to the next customer when the first already has the person', async () => {
    const order = (customer: number): Step => ({ kind: 'order', customer, type: 0, quantity: 3 });
    const lead = (person: number): Step => ({ kind: 'leads', type: 0, count: 1, person });
    // A person whose lead was returned may come again (DLV-11), and the first in turn is owed a replacement.
    const returned: Step[] = [
      { kind: 'return', delivery: 0 },
      { kind: 'grant', delivery: 0 },
    ];
    await withWorld([order(0), lead(1), order(1), lead(2), ...returned, lead(1)], async (world) => {
      expect(await world.deliveredByCustomer()).toEqual([1, 2, 0, 0, 0]);
      expect(await world.missedDeliveries()).toEqual([]);
    });
  });

  it(
    'DLV-7: the same steps produce the same history',
    async () => {
      await fc.assert(
        fc.asyncProperty(steps(happening), async (script) => {
          const digests: string[] = [];
          for (let time = 0; time < 2; time += 1)
            await withWorld(script, async (world) => {
              digests.push(await logDigest(world.events, world.vault));
            });
          expect(digests[0]).toBe(digests[1]);
        }),
        { numRuns: 8 },
      );
    },
    LIMIT,
  );
});
