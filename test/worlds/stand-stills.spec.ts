import fc from 'fast-check';
import { checkLaws } from '#audit/laws/laws';
import { decode } from '#domain/codec';
import { addDays, addHours } from '#domain/kernel/instants';
import { hashOfEvent } from '#event-store/event-hash';
import { type Step, World } from './world.ts';

const hours = fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 24, max: 900 }));
const happening: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('stand-still' as const), hours }),
  fc.record({ kind: fc.constant('wait' as const), hours }),
  fc.record({ kind: fc.constantFrom('release' as const, 'skip' as const), order: fc.constant(0) }),
  fc.record({
    kind: fc.constant('crash' as const),
    afterCommands: fc.integer({ min: 1, max: 6 }),
    carriedOut: fc.boolean(),
  }),
);

/** A shared order, so that its bonuses show the steps of the ladder. */
const joining: Step = { kind: 'order', customer: 0, type: 3, quantity: 10, joins: true };
const ladder = (step: number): number => [10, 10, 20, 30][Math.min(step, 3)] as number;

async function historyOf(world: World) {
  const facts = [];
  for await (const event of world.events.readAll()) facts.push(decode(event));
  return facts;
}

async function checkRenewals(world: World): Promise<void> {
  let placedAt = '';
  let words = 0;
  let steps = 0;
  for (const fact of await historyOf(world)) {
    if (fact.type === 'OrderPlaced') placedAt = fact.data.at;
    if (fact.type === 'RenewalReleased') words = 1;
    if (fact.type === 'RenewalBegun') {
      const { at, dueAt } = fact.data;
      if (at > addHours(dueAt, 24)) words -= 1;
      expect(words).toBeGreaterThanOrEqual(0);
      const weeks = (Date.parse(dueAt) - Date.parse(placedAt)) / (7 * 86_400_000);
      expect(dueAt).toBe(addDays(placedAt, 7 * Math.round(weeks)));
    }
    if (fact.type === 'OrderReopened') {
      steps += 1;
      expect(fact.data).toMatchObject({ renewalNumber: steps, bonusPercent: ladder(steps) });
    }
  }
  const { laws } = await checkLaws(world.events, { hashOf: hashOfEvent });
  expect(Object.entries(laws).filter(([, count]) => count > 0)).toEqual([]);
}

/** Milliseconds. Long, so that this test passes on a slow machine. */
const LIMIT = 600_000;

it(
  'LOY-10: for any pattern of stand-stills, at most one renewal is charged after each word, the ladder counts only paid ones, and the dates stay',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { minLength: 3, maxLength: 15, size: 'max' }), async (script) => {
        const world = await World.create();
        try {
          await world.run([joining, ...script]);
          await checkRenewals(world);
        } finally {
          await world.close();
        }
      }),
      {
        numRuns: 25,
        // A word at the very instant at which the renewal was missed.
        examples: [
          [
            [
              { kind: 'stand-still', hours: 210 },
              { kind: 'wait', hours: 630 },
              { kind: 'crash', afterCommands: 1, carriedOut: true },
              { kind: 'release', order: 0 },
            ],
          ],
        ],
      },
    );
  },
  LIMIT,
);
