import { type Decider, type Decision, refuse, undecided } from '../kernel/decider.ts';
import { count, type EventsOf, fact, type Instant } from '../kernel/events.ts';
import { id } from '../kernel/fields.ts';
import { anyone, type RightsOf } from '../kernel/rights.ts';
import { personSuppressed, type Suppression, suppression } from './suppression.ts';

/**
 * Which lead has a person, by one telephone number or e-mail address. A keyed hash of it names the stream: it is the lock
 * that prevents that two leads are sold of one person (DLV-11), and that a suppressed person is sold (DLV-12). It stays after the
 * person is erased.
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
  /** From now on no lead of the person is stored or sold. Those that there are were withdrawn before. */
  PersonSuppressed: fact({ suppression: suppression.describe('Why the person is not sold (DLV-12).') }),
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
  | { type: 'LinkPerson'; at: Instant; leadId: string }
  | {
      type: 'SuppressPerson';
      at: Instant;
      suppression: Suppression;
      /** The claim that was read: its lead is withdrawn. */
      from?: Claim;
    };

export const personClaimRights = {
  // Steps of the receipt of a lead. No route leads here.
  ClaimPerson: anyone,
  LinkPerson: anyone,
  // A person has no account: whoever sends the form of the store may ask for it. The request checks who may bring a list.
  SuppressPerson: anyone,
} satisfies RightsOf<PersonClaimCommand, PersonClaimState>;

interface PersonClaimState {
  /** Undefined while no lead has the person. */
  readonly claim?: Claim & { readonly at: Instant };
  /** The leads that had the person before. */
  readonly formerly: readonly string[];
  /** Other leads of the person that were sold. */
  readonly linked: readonly string[];
  readonly suppression?: Suppression;
}

export const personClaim: Decider<PersonClaimState, PersonClaimCommand, PersonClaimEvent> = {
  initialState: () => ({ formerly: [], linked: [] }),

  decide(command, state): Decision<PersonClaimEvent> {
    switch (command.type) {
      case 'ClaimPerson':
        return claimFor(command, state);
      case 'LinkPerson':
        return link(command, state);
      case 'SuppressPerson':
        return suppress(command, state);
      default:
        return undecided(command);
    }
  },

  evolve(state, event): PersonClaimState {
    switch (event.type) {
      case 'PersonSuppressed':
        return { ...state, suppression: event.data.suppression };
      case 'PersonLinked':
        return { ...state, linked: [...state.linked, event.data.leadId] };
      case 'PersonClaimed': {
        const { at, leadId, attempt = 0 } = event.data;
        const { claim: former, formerly } = state;
        return {
          ...state,
          claim: { at, leadId, attempt },
          formerly: former && former.leadId !== leadId ? [...formerly, former.leadId] : formerly,
        };
      }
    }
  },
};

type Command<Type extends PersonClaimCommand['type']> = Extract<PersonClaimCommand, { type: Type }>;
type Decided = Decision<PersonClaimEvent>;

function claimFor(
  { at, leadId, attempt, from }: Command<'ClaimPerson'>,
  { claim, suppression }: PersonClaimState,
): Decided {
  if (claim && sameClaim(claim, { leadId, attempt })) return [];
  if (suppression) return isSuppressed;
  const mayClaim = !claim || (claim.leadId === leadId ? claim.attempt < attempt : from && sameClaim(claim, from));
  if (!mayClaim) return personClaimed;
  const follows = claim && claim.leadId !== leadId && { fromLeadId: claim.leadId };
  return [{ type: 'PersonClaimed', data: { at, leadId, ...(attempt > 0 && { attempt }), ...follows } }];
}

/** A record that has it is not stored. */
export const isSuppressed = refuse(
  personSuppressed,
  'the person is not sold: an opt-out, or a do-not-call list',
  'DLV-12',
);

const link = ({ at, leadId }: Command<'LinkPerson'>, { claim, linked }: PersonClaimState): Decided =>
  claim?.leadId === leadId || linked.includes(leadId) ? [] : [{ type: 'PersonLinked', data: { at, leadId } }];

/** The lead of another claim than the one that was read may be on sale. */
function suppress({ at, suppression, from }: Command<'SuppressPerson'>, state: PersonClaimState): Decided {
  const { claim } = state;
  if (state.suppression) return [];
  const isRead = claim ? from && sameClaim(claim, from) : !from;
  return isRead ? [{ type: 'PersonSuppressed', data: { at, suppression } }] : personClaimed;
}

const personClaimed = refuse('person-claimed', 'another lead has this person', 'DLV-11');

const sameClaim = (one: Claim, other: Claim): boolean => one.leadId === other.leadId && one.attempt === other.attempt;
