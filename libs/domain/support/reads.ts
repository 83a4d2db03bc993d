import { z } from 'zod';
import type { Decider } from '../kernel/decider.ts';
import { type EventsOf, fact, type Instant } from '../kernel/events.ts';
import { code, id } from '../kernel/fields.ts';
import { anyone, type RightsOf } from '../kernel/rights.ts';

/** Whose personal data a member of staff, or a program with their roles, was shown in one hour (UTC). */
export const readsStream = (actor: string, at: Instant) =>
  `reads-${actor.replace(':', '.')}.${at.slice(0, 'YYYY-MM-DDTHH'.length)}` as const;

export const readEvents = {
  PersonalDataShown: fact({
    persons: z.array(id).min(1).describe('Streams that name them: of customers, of leads, and members of staff.'),
    asked: code.describe('The query that showed them first.'),
  }),
};
export type ReadEvent = EventsOf<typeof readEvents>;

export interface RecordRead {
  readonly type: 'RecordRead';
  readonly at: Instant;
  readonly persons: readonly string[];
  readonly asked: string;
}

type ReadState = ReadonlySet<string>;

/** Who may ask for which command. */
export const readRights = {
  // A step of a query, whose right was checked. No route leads here.
  RecordRead: anyone,
} satisfies RightsOf<RecordRead, ReadState>;

/** Each person is recorded once an hour for each reader. */
export const reads: Decider<ReadState, RecordRead, ReadEvent> = {
  initialState: () => new Set(),

  decide({ at, persons, asked }, shown) {
    const fresh = [...new Set(persons)].filter((person) => !shown.has(person));
    return fresh.length === 0 ? [] : [{ type: 'PersonalDataShown', data: { at, persons: fresh, asked } }];
  },

  evolve: (shown, { data: { persons } }) => new Set([...shown, ...persons]),
};
