import type { Decider } from '../kernel/decider.ts';
import { count, type EventsOf, fact, type Instant } from '../kernel/events.ts';
import { code, id } from '../kernel/fields.ts';
import { anyone, type RightsOf } from '../kernel/rights.ts';

/** Who was shown so many persons in one hour that somebody should ask why. They are few, so one stream has them all. */
export const bulkReadsStream = 'bulkreads-main';

/** Nobody who looks after single customers sees so many in an hour. */
export const MANY_PERSONS = 500;

export const bulkReadEvents = {
  ManyPersonsShown: fact({
    reads: id.describe('The stream of the reader and the hour.'),
    reader: id,
    persons: count.describe('How many, when it was noticed.'),
    asked: code.describe('The query with which it was.'),
  }),
};
export type BulkReadEvent = EventsOf<typeof bulkReadEvents>;
type Noticed = BulkReadEvent['data'];

type BulkReadCommand = { readonly type: 'NoticeManyPersons' } & Noticed;

/** By the stream of the reader and the hour. */
type BulkReadState = ReadonlyMap<string, Noticed>;

/** Who may ask for which command. */
export const bulkReadRights = {
  // A step of a query, whose right was checked. No route leads here.
  NoticeManyPersons: anyone,
} satisfies RightsOf<BulkReadCommand, BulkReadState>;

/** Later ones are what somebody looks at. */
const MOST_REMEMBERED = 1000;

/** Once for each reader and hour. */
export const bulkReads: Decider<BulkReadState, BulkReadCommand, BulkReadEvent> = {
  initialState: () => new Map(),

  decide: ({ type: _, ...data }, noticed) => (noticed.has(data.reads) ? [] : [{ type: 'ManyPersonsShown', data }]),

  evolve: (noticed, { data }) => new Map([...noticed, [data.reads, data] as const].slice(-MOST_REMEMBERED)),
};

export const noticedSince = (noticed: BulkReadState, since: Instant): readonly Noticed[] =>
  [...noticed.values()].filter(({ at }) => at >= since);
