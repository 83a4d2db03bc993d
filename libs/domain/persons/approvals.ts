import { z } from 'zod';
import { type Decider, type Decision, refuse, undecided } from '../kernel/decider.ts';
import { type EventsOf, fact, type Instant, instant } from '../kernel/events.ts';
import { id, personKey } from '../kernel/fields.ts';
import { addSeconds } from '../kernel/instants.ts';
import { freshFactor, inPerson, type RightsOf, support } from '../kernel/rights.ts';

/**
 * What two members of staff do together, where the policy says so: one asks, and another one approves. They are few, so one
 * stream has them all.
 */
export const approvalsStream = 'approvals-main';

/** How long a request waits for its approval. */
export const APPROVAL_DAYS = 7;
/** How long whoever approved may send it again, because the answer was lost or a crash came between. */
const SECONDS_TO_CARRY_OUT = 3600;

export const actsOnPersons = ['export', 'erasure'] as const;
export type ActOnPerson = (typeof actsOnPersons)[number];

const request = {
  approvalId: id,
  act: z.enum(actsOnPersons),
  person: personKey.describe('Of what the person was named by. Whoever approves names the person again.'),
};

export const approvalEvents = {
  ApprovalRequested: fact({ ...request, requestedBy: id, expiresAt: instant }),
  ApprovalGiven: fact({ ...request, requestedBy: id, approvedBy: id }),
  /** What was approved is done. */
  ApprovalCarriedOut: fact({ ...request, requestedBy: id, approvedBy: id }),
};
export type ApprovalEvent = EventsOf<typeof approvalEvents>;

type DataOf<Type extends ApprovalEvent['type']> = Omit<Extract<ApprovalEvent, { type: Type }>['data'], 'at'>;
type Approval = DataOf<'ApprovalRequested'> & {
  readonly at: Instant;
  readonly approvedBy?: string;
  readonly approvedAt?: Instant;
  readonly isDone?: true;
};

export type ApprovalCommand =
  | ({ type: 'RequestApproval'; at: Instant } & DataOf<'ApprovalRequested'>)
  /** `mayAsk`: who asked still has the role that it needs. */
  | ({ type: 'Approve'; at: Instant; mayAsk: boolean } & Omit<DataOf<'ApprovalGiven'>, 'requestedBy'>)
  | { type: 'FinishApproval'; at: Instant; approvalId: string };

/** By id, without those that expired before something happened last. */
export type ApprovalState = ReadonlyMap<string, Approval>;

const twoMembers = freshFactor(
  inPerson(
    support('SUP-2'),
    refuse('two-members-needed', 'two members of staff who signed in do this together', 'SUP-2'),
  ),
);

/** Who may ask for which command. */
export const approvalRights = {
  RequestApproval: twoMembers,
  Approve: twoMembers,
  FinishApproval: twoMembers,
} satisfies RightsOf<ApprovalCommand, ApprovalState>;

const unknown = refuse('approval-unknown', 'nothing waits for this approval: it was given, or has expired');
const askerWithoutRole = refuse(
  'asker-without-role',
  'who asked for this is no support of all stores any more: ask anew',
  'SUP-2',
);
const otherPerson = refuse('approval-for-another', 'the request that waits is about another person, or another act');
const secondMember = refuse('second-member-needed', 'another member of staff approves what one has asked for', 'SUP-2');

export const approvals: Decider<ApprovalState, ApprovalCommand, ApprovalEvent> = {
  initialState: () => new Map(),

  decide(command, state): Decision<ApprovalEvent> {
    switch (command.type) {
      case 'RequestApproval': {
        const { type: _, ...data } = command;
        return waitingFor(state, data, data.at) ? [] : [{ type: 'ApprovalRequested', data }];
      }
      case 'Approve': {
        const { type: _, mayAsk, ...data } = command;
        const { approvalId, act, person, approvedBy, at } = data;
        const asked = state.get(approvalId);
        if (!asked || asked.expiresAt <= at) return unknown;
        if (asked.act !== act || asked.person !== person) return otherPerson;
        if (asked.requestedBy === approvedBy) return secondMember;
        if (asked.approvedAt !== undefined)
          return asked.approvedBy === approvedBy && isLately(asked.approvedAt, at) ? [] : unknown;
        if (!mayAsk) return askerWithoutRole;
        return [{ type: 'ApprovalGiven', data: { ...data, requestedBy: asked.requestedBy } }];
      }
      case 'FinishApproval': {
        const { at, approvalId } = command;
        const { act, person, requestedBy, approvedBy, isDone } = state.get(approvalId) ?? {};
        if (act === undefined || person === undefined || requestedBy === undefined || isDone) return [];
        if (approvedBy === undefined) return unknown;
        return [{ type: 'ApprovalCarriedOut', data: { at, approvalId, act, person, requestedBy, approvedBy } }];
      }
      default:
        return undecided(command);
    }
  },

  evolve(state, { type, data }): ApprovalState {
    const kept = new Map([...state].filter(([, { expiresAt }]) => data.at < expiresAt));
    if (type === 'ApprovalRequested') return kept.set(data.approvalId, data);
    const asked = kept.get(data.approvalId);
    if (!asked) return kept;
    if (type === 'ApprovalCarriedOut') return kept.set(data.approvalId, { ...asked, isDone: true });
    return kept.set(data.approvalId, { ...asked, approvedBy: data.approvedBy, approvedAt: data.at });
  },
};

const isLately = (approvedAt: Instant, now: Instant): boolean => now < addSeconds(approvedAt, SECONDS_TO_CARRY_OUT);

/** What nobody has approved yet, the longest waiting first. */
export const waitingAt = (state: ApprovalState, at: Instant): readonly Approval[] =>
  [...state.values()].filter(({ approvedBy, expiresAt }) => approvedBy === undefined && at < expiresAt);

/** What was approved and not carried out, because a crash came between, unless it was asked for anew and done. */
export function interruptedAt(state: ApprovalState, at: Instant): readonly Approval[] {
  const all = [...state.values()];
  const isDone = ({ act, person }: Approval) =>
    all.some((one) => one.isDone && one.act === act && one.person === person);
  return all.filter((one) => one.approvedBy !== undefined && at < one.expiresAt && !isDone(one));
}

export const waitingFor = (
  state: ApprovalState,
  { act, person }: Pick<Approval, 'act' | 'person'>,
  at: Instant,
): Approval | undefined => waitingAt(state, at).find((one) => one.act === act && one.person === person);
