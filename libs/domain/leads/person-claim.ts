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
};
type PersonClaimEvent = EventsOf<typeof personClaimEvents>;

/** A claim that was read. */
export interface Claim {
  readonly leadId: string;
  /** How often a claim of this lead had been forfeited when it was made. */
  readonly attempt: number;
}

export type PersonClaimCommand = {
  type: 'ClaimPerson';
  at: Instant;
  /** The claim that has ended, and that this one follows. */
  from?: Claim;
} & Claim;

/** A step of the receipt of a lead. No route leads here. */
export const personClaimRights = { ClaimPerson: anyone } satisfies RightsOf<PersonClaimCommand, PersonClaimState>;

interface PersonClaimState {
  /** Undefined while no lead has the person. */
  readonly claim?: Claim & { readonly at: Instant };
}

export const personClaim: Decider<PersonClaimState, PersonClaimCommand, PersonClaimEvent> = {
  initialState: () => ({}),

  decide({ at, leadId, attempt, from }, { claim }): Decision<PersonClaimEvent> {
    if (claim && sameClaim(claim, { leadId, attempt })) return [];
    const mayClaim = !claim || (claim.leadId === leadId ? claim.attempt < attempt : from && sameClaim(claim, from));
    if (!mayClaim) return refuse('person-claimed', 'another lead has this person', 'DLV-11');
    const follows = claim && claim.leadId !== leadId && { fromLeadId: claim.leadId };
    return [{ type: 'PersonClaimed', data: { at, leadId, ...(attempt > 0 && { attempt }), ...follows } }];
  },

  evolve: (_, { data: { at, leadId, attempt = 0 } }) => ({ claim: { at, leadId, attempt } }),
};

const sameClaim = (one: Claim, other: Claim): boolean => one.leadId === other.leadId && one.attempt === other.attempt;
