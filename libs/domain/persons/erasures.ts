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

export interface Erasure {
  readonly subjects: Names;
  readonly personKeys: Names;
  readonly ends: Names;
}

/** A fact of so many characters and its cause go into one append of every store. */
const MOST_CHARACTERS = 256 * 1024;
/** Quotation marks and comma. */
const AROUND_A_NAME = 3;

/**
 * An erasure in parts, each small enough to be a fact: a person may have thousands of leads. The customers come first, then
 * their addresses and the keys of the person: by them, whoever completes an erasure of which only the beginning was recorded
 * finds the rest. A lead and its end are never apart, because what is erased already is not looked for.
 */
export function partsOf(erasure: Erasure, mostCharacters = MOST_CHARACTERS): readonly [Erasure, ...Erasure[]] {
  const first = emptyPart();
  const parts: [typeof first, ...(typeof first)[]] = [first];
  let [part, characters] = [first, 0];
  for (const [name, ...kinds] of inOrder(erasure)) {
    const added = kinds.length * (name.length + AROUND_A_NAME);
    if (characters > 0 && characters + added > mostCharacters) {
      [part, characters] = [emptyPart(), 0];
      parts.push(part);
    }
    for (const kind of kinds) part[kind].push(name);
    characters += added;
  }
  return parts;
}

const emptyPart = () => ({ subjects: [] as string[], personKeys: [] as string[], ends: [] as string[] });

/** Each name, and where it stands. */
function inOrder({ subjects, personKeys, ends }: Erasure): readonly (readonly [string, ...(keyof Erasure)[]])[] {
  const [erased, ended] = [new Set(subjects), new Set(ends)];
  const others = ends.filter((name) => !erased.has(name));
  const isAddress = (name: string) => name.startsWith('address-');
  return [
    ...subjects.filter((name) => !ended.has(name)).map((name) => [name, 'subjects'] as const),
    ...others.filter(isAddress).map((name) => [name, 'ends'] as const),
    ...personKeys.map((name) => [name, 'personKeys'] as const),
    ...subjects.filter((name) => ended.has(name)).map((name) => [name, 'subjects', 'ends'] as const),
    ...others.filter((name) => !isAddress(name)).map((name) => [name, 'ends'] as const),
  ];
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
