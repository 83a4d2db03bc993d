import { type Decider, type Decision, refuse, undecided } from '../kernel/decider.ts';
import { count, type EventsOf, fact, type Instant } from '../kernel/events.ts';
import { id } from '../kernel/fields.ts';
import { anyone, type RightsOf, support } from '../kernel/rights.ts';
import { personSuppressed, type SuppressedBy, sourceOf, suppression } from './suppression.ts';

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
  PersonSuppressed: fact({
    suppression: suppression.describe('Why the person is not sold (DLV-12).'),
    listId: id
      .optional()
      .describe('The list that named the person. None: the person asked for it, or stands on the list do-not-call.'),
  }),
  /** The person may be sold again, unless another list, or the person, still says otherwise. What was withdrawn stays withdrawn. */
  SuppressionLifted: fact({
    listId: id
      .optional()
      .describe('The list that says nothing of the person any more. None: whatever suppressed the person.'),
  }),
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
  | ({
      type: 'SuppressPerson';
      at: Instant;
      /** The claim that was read: its lead is withdrawn. */
      from?: Claim;
    } & SuppressedBy)
  | {
      type: 'LiftSuppression';
      at: Instant;
      /** Only what this list said. Absent: all. */
      listId?: string;
    };

export const personClaimRights = {
  // Steps of the receipt of a lead. No route leads here.
  ClaimPerson: anyone,
  LinkPerson: anyone,
  // A person has no account: whoever sends the form of the store may ask for it. The request checks who may bring a list.
  SuppressPerson: anyone,
  LiftSuppression: support('DLV-12'),
} satisfies RightsOf<PersonClaimCommand, PersonClaimState>;

export interface PersonClaimState {
  /** Undefined while no lead has the person. */
  readonly claim?: Claim & { readonly at: Instant };
  /** The leads that had the person before. */
  readonly formerly: readonly string[];
  /** Other leads of the person that were sold. */
  readonly linked: readonly string[];
  /** What suppresses the person now: lists, and the person's own request. */
  readonly suppressedBy: readonly string[];
  /** A suppression was lifted before. */
  readonly wasLifted: boolean;
}

export const personClaim: Decider<PersonClaimState, PersonClaimCommand, PersonClaimEvent> = {
  initialState: () => ({ formerly: [], linked: [], suppressedBy: [], wasLifted: false }),

  decide(command, state): Decision<PersonClaimEvent> {
    switch (command.type) {
      case 'ClaimPerson':
        return claimFor(command, state);
      case 'LinkPerson':
        return link(command, state);
      case 'SuppressPerson':
        return suppress(command, state);
      case 'LiftSuppression':
        return lift(command, state);
      default:
        return undecided(command);
    }
  },

  evolve(state, event): PersonClaimState {
    switch (event.type) {
      case 'PersonSuppressed':
        return { ...state, suppressedBy: [...state.suppressedBy, sourceOf(event.data)] };
      case 'SuppressionLifted':
        return { ...state, suppressedBy: leftBy(event.data, state), wasLifted: true };
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
  { claim, suppressedBy }: PersonClaimState,
): Decided {
  if (claim && sameClaim(claim, { leadId, attempt })) return [];
  if (suppressedBy.length > 0) return isSuppressed;
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
function suppress({ type: _, from, ...data }: Command<'SuppressPerson'>, state: PersonClaimState): Decided {
  const { claim, suppressedBy } = state;
  if (suppressedBy.includes(sourceOf(data))) return [];
  const isRead = claim ? from && sameClaim(claim, from) : !from;
  return isRead ? [{ type: 'PersonSuppressed', data }] : personClaimed;
}

function lift({ at, listId }: Command<'LiftSuppression'>, { suppressedBy }: PersonClaimState): Decided {
  const isLifted = listId === undefined ? suppressedBy.length > 0 : suppressedBy.includes(listId);
  return isLifted ? [{ type: 'SuppressionLifted', data: { at, ...(listId !== undefined && { listId }) } }] : [];
}

/** What still suppresses the person. */
const leftBy = (
  { listId }: { readonly listId?: string | undefined },
  { suppressedBy }: Pick<PersonClaimState, 'suppressedBy'>,
): PersonClaimState['suppressedBy'] => (listId === undefined ? [] : suppressedBy.filter((one) => one !== listId));

const personClaimed = refuse('person-claimed', 'another lead has this person', 'DLV-11');

const sameClaim = (one: Claim, other: Claim): boolean => one.leadId === other.leadId && one.attempt === other.attempt;
