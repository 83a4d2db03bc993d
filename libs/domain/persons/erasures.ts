import { z } from 'zod';
import type { Decider, Decision } from '../kernel/decider.ts';
import { type EventsOf, fact, type Instant } from '../kernel/events.ts';
import { id, personKey } from '../kernel/fields.ts';
import { type RightsOf, supportOrStore } from '../kernel/rights.ts';

/**
 * All persons who were erased. They are in one stream, so that a start reads at once which keys must be gone, and the
 * receipt of a lead knows at once whom the store must not keep again (ADR 26).
 */
export const erasuresStream = 'erasures-main';

export const erasureEvents = {
  /** A person was erased, or more was found that belongs to an erased person. It says nothing about who it was. */
  PersonErased: fact({
    subjects: z
      .array(id)
      .describe('Streams that were about the person, `customer-…` and `lead-…`: their keys are destroyed.'),
    personKeys: z
      .array(personKey)
      .describe('By which leads of the person are recognised, so that none is stored again.'),
    ends: z.array(id).describe('Streams of what the person still had: the store ends it.'),
  }),
};
export type ErasureEvent = EventsOf<typeof erasureEvents>;

type Names = readonly string[];

interface Erasure {
  readonly subjects: Names;
  readonly personKeys: Names;
  readonly ends: Names;
}

type ErasureCommand = { type: 'ErasePerson'; at: Instant } & Erasure;

export interface ErasureState {
  readonly subjects: ReadonlySet<string>;
  readonly personKeys: ReadonlySet<string>;
  readonly ends: ReadonlySet<string>;
}

/** Why something ended that nobody ended by hand: its customer was erased. */
export const customerErased = 'customer-erased';

/** Who may ask for which command. */
export const erasureRights = { ErasePerson: supportOrStore('SUP-2') } satisfies RightsOf<ErasureCommand, ErasureState>;

const kinds = ['subjects', 'personKeys', 'ends'] as const;

/** Records what is new. An erasure that is asked for again records nothing. */
export const erasures: Decider<ErasureState, ErasureCommand, ErasureEvent> = {
  initialState: () => ({ subjects: new Set(), personKeys: new Set(), ends: new Set() }),

  decide({ at, ...erasure }, state): Decision<ErasureEvent> {
    const added = Object.fromEntries(
      kinds.map((kind) => [kind, [...new Set(erasure[kind])].filter((name) => !state[kind].has(name))]),
    ) as Record<(typeof kinds)[number], string[]>;
    return kinds.every((kind) => added[kind].length === 0) ? [] : [{ type: 'PersonErased', data: { at, ...added } }];
  },

  evolve(state, { data }) {
    for (const kind of kinds) for (const name of data[kind]) (state[kind] as Set<string>).add(name);
    return state;
  },
};
