import { type Decider, type Decision, refuse } from '../kernel/decider.ts';
import { count, type EventsOf, fact, type Instant } from '../kernel/events.ts';
import { id } from '../kernel/fields.ts';
import { anyone, type RightsOf } from '../kernel/rights.ts';

/**
 * Which lead has a person, by one telephone number or e-mail address. A keyed hash of it names the stream: it is the lock
 * that prevents that two leads are sold of one person (DLV-11). It stays after the person is erased.
 */
export const personClaimStream = (personKey: string) => `person-${personKey}` as const;

export const personClaimEvents = {
  PersonClaimed: fact({
    leadId: id.describe('The lead that has the person from now on.'),
    attempt: count.optional().describe('How often a claim of this lead was forfeited before; never when absent.'),
    fromLeadId: id.optional().describe('The lead that had the person until now.'),
  }),
  /** A claim ends with the last sold lead of the person, also of one that was sold before that was known. */
  PersonLinked: fact({ leadId: id.describe('Another lead of the person that was sold.') }),
};
type PersonClaimEvent = EventsOf<typeof personClaimEvents>;

/** A claim that was read. */
export interface Claim {
  readonly leadId: string;
  /** How often a claim of this lead had been forfeited when it was made. */
  readonly attempt: number;
}

export type PersonClaimCommand =
  | ({
      type: 'ClaimPerson';
      at: Instant;
      /** The claim that has ended, and that this one follows. */
      from?: Claim;
    } & Claim)
  | { type: 'LinkPerson'; at: Instant; leadId: string };

/** Steps of the receipt of a lead. No route leads here. */
export const personClaimRights = { ClaimPerson: anyone, LinkPerson: anyone } satisfies RightsOf<
  PersonClaimCommand,
  PersonClaimState
>;

interface PersonClaimState {
  /** Undefined while no lead has the person. */
  readonly claim?: Claim & { readonly at: Instant };
  /** The leads that had the person before. */
  readonly formerly: readonly string[];
  /** Other leads of the person that were sold. */
  readonly linked: readonly string[];
}

export const personClaim: Decider<PersonClaimState, PersonClaimCommand, PersonClaimEvent> = {
  initialState: () => ({ formerly: [], linked: [] }),

  decide(command, { claim, linked }): Decision<PersonClaimEvent> {
    const { at, leadId } = command;
    if (command.type === 'LinkPerson')
      return claim?.leadId === leadId || linked.includes(leadId)
        ? []
        : [{ type: 'PersonLinked', data: { at, leadId } }];
    const { attempt, from } = command;
    if (claim && sameClaim(claim, { leadId, attempt })) return [];
    const mayClaim = !claim || (claim.leadId === leadId ? claim.attempt < attempt : from && sameClaim(claim, from));
    if (!mayClaim) return refuse('person-claimed', 'another lead has this person', 'DLV-11');
    const follows = claim && claim.leadId !== leadId && { fromLeadId: claim.leadId };
    return [{ type: 'PersonClaimed', data: { at, leadId, ...(attempt > 0 && { attempt }), ...follows } }];
  },

  evolve(state, event): PersonClaimState {
    const { at, leadId } = event.data;
    if (event.type === 'PersonLinked') return { ...state, linked: [...state.linked, leadId] };
    const { claim: former, formerly } = state;
    return {
      ...state,
      claim: { at, leadId, attempt: event.data.attempt ?? 0 },
      formerly: former && former.leadId !== leadId ? [...formerly, former.leadId] : formerly,
    };
  },
};

const sameClaim = (one: Claim, other: Claim): boolean => one.leadId === other.leadId && one.attempt === other.attempt;
