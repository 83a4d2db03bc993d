import { scopeOf } from '../kernel/caller.ts';
import { type Decider, type Decision, refuse } from '../kernel/decider.ts';
import { type EventsOf, fact, type Instant } from '../kernel/events.ts';
import { id, keyedHash } from '../kernel/fields.ts';
import { type AskedBy, described, type RightsOf, support } from '../kernel/rights.ts';

/** Which businesses with different names are one (DLV-3): the staff knows what no rule can see. */
export const businessMergesStream = 'businesses-main';

/** Each customer stands for the business that it works for at this moment. */
const merge = {
  mergeId: id,
  customerId: id,
  businessKey: keyedHash,
  otherCustomerId: id,
  otherBusinessKey: keyedHash,
};

export const businessMergeEvents = {
  /** From here on, what one of them has is not delivered to the other. What was decided before stays decided. */
  BusinessesMerged: fact(merge),
  BusinessMergeTakenBack: fact(merge),
};
export type BusinessMergeEvent = EventsOf<typeof businessMergeEvents>;

type Merge = Omit<Extract<BusinessMergeEvent, { type: 'BusinessesMerged' }>['data'], 'at'>;

export type BusinessMergeCommand =
  | ({ type: 'MergeBusinesses'; at: Instant } & Merge)
  | { type: 'TakeBusinessMergeBack'; at: Instant; mergeId: string };

/** The merges that hold. */
export type BusinessMergeState = ReadonlyMap<string, Merge>;

/** A business may have customers at several stores. */
const supportOfAllStores = described(
  'support of all stores, with a reason',
  (asked: AskedBy) =>
    support('DLV-3')(asked) ??
    (scopeOf(asked.caller) === 'all'
      ? undefined
      : refuse('staff-only', 'only staff of all stores may do this', 'DLV-3')),
  'DLV-3',
);

/** Who may ask for which command. */
export const businessMergeRights = {
  MergeBusinesses: supportOfAllStores,
  TakeBusinessMergeBack: supportOfAllStores,
} satisfies RightsOf<BusinessMergeCommand, BusinessMergeState>;

export const businessMerges: Decider<BusinessMergeState, BusinessMergeCommand, BusinessMergeEvent> = {
  initialState: () => new Map(),

  decide(command, state): Decision<BusinessMergeEvent> {
    switch (command.type) {
      case 'MergeBusinesses':
        return mergeBusinesses(command, state);
      case 'TakeBusinessMergeBack': {
        const { at, mergeId } = command;
        const taken = state.get(mergeId);
        return taken
          ? [{ type: 'BusinessMergeTakenBack', data: { at, ...taken } }]
          : refuse('merge-unknown', 'there is no such merge of businesses, or it was taken back', 'DLV-3');
      }
    }
  },

  evolve(state, event) {
    const { at: _, ...merged } = event.data;
    const merges = new Map(state);
    if (event.type === 'BusinessesMerged') merges.set(merged.mergeId, merged);
    else merges.delete(merged.mergeId);
    return merges;
  },
};

function mergeBusinesses(
  { type: _, ...data }: Extract<BusinessMergeCommand, { type: 'MergeBusinesses' }>,
  state: BusinessMergeState,
): Decision<BusinessMergeEvent> {
  const pair = pairOf(data);
  if (data.businessKey === data.otherBusinessKey || [...state.values()].some((other) => pairOf(other) === pair))
    return refuse('businesses-are-one', 'these two are one business already', 'DLV-3');
  return [{ type: 'BusinessesMerged', data }];
}

const pairOf = ({ businessKey, otherBusinessKey }: Merge): string => [businessKey, otherBusinessKey].sort().join(' ');
