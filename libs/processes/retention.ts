import type { FactOf } from '#domain/codec';
import type { Instant } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import { addDays } from '#domain/kernel/instants';
import { type PolicyState, policy, policyAt, policyStream, type Retention, retentionOf } from '#domain/policy/policy';
import { lookAtErasedKey, lookKey, monthAfter, monthOf } from '#domain/support/look';
import { defineProcess, type EffectWish } from './process.ts';

interface Kept {
  readonly policies: PolicyState;
  /** The day (UTC) on which copies of mails were last gone through. */
  removedOn: string;
  /** Month → customers whose history was looked at, while the reasons can be read. */
  readonly looks: Map<string, Set<string>>;
}

/**
 * Removes what the store need not keep: once a day old copies of mails, and the keys of the reasons of old looks. Nothing of
 * the log is removed, and nothing is recorded: after a restart everything due is removed again, which changes nothing. So
 * keys that came back from a backup, and copies that came back with it, are removed again too.
 */
export const retention = defineProcess({
  name: 'retention',
  eventTypes: [
    'PolicyPublished',
    'CustomerHistoryShown',
    'PersonErased',
    'ApprovalRequested',
    'ApprovalGiven',
    'ApprovalCarriedOut',
  ],
  initialState: (): Kept => ({ policies: policy.initialState(), removedOn: '', looks: new Map() }),

  evolve({ policies, looks }, fact) {
    if (fact.type === 'PolicyPublished') policy.evolve(policies, fact);
    else noteReason(looks, fact);
  },

  next(kept, { now }, limit) {
    const days = retentionOf(policyAt(kept.policies, now)?.policy);
    const wishes = reasonsDue(kept, days, now, limit);
    if (kept.removedOn === dayOf(now)) return wishes;
    kept.removedOn = dayOf(now);
    return [...wishes, copiesToRemove(addDays(now, -days.mailCopiesDays))];
  },

  wakeAt: ({ removedOn }) => (removedOn === '' ? undefined : addDays(`${removedOn}T00:00:00.000Z`, 1)),
});

const dayOf = (at: Instant): string => at.slice(0, 'YYYY-MM-DD'.length);

type WithReason = FactOf<
  'CustomerHistoryShown' | 'PersonErased' | 'ApprovalRequested' | 'ApprovalGiven' | 'ApprovalCarriedOut'
>;

function noteReason(looks: Kept['looks'], { type, data }: WithReason): void {
  const customers = looks.get(monthOf(data.at)) ?? new Set();
  looks.set(monthOf(data.at), type === 'CustomerHistoryShown' ? customers.add(data.customerId) : customers);
}

const copiesToRemove = (before: Instant): EffectWish => ({
  commandId: deriveId('remove-mail-copies', before),
  stream: policyStream,
  effect: { kind: 'remove-mail-copies', before },
});

/** The reasons of a month have one key for each customer, and one for all who were erased before: they are destroyed when the last of them is old enough. */
function reasonsDue({ looks }: Kept, { lookReasonsDays }: Retention, now: Instant, limit: number): EffectWish[] {
  const due = [...looks].filter(([month]) => addDays(monthAfter(month), lookReasonsDays) <= now).slice(0, limit);
  return due.map(([month, customers]) => {
    looks.delete(month);
    const subjects = [...[...customers].map((customerId) => lookKey(customerId, month)), lookAtErasedKey(month)];
    return {
      commandId: deriveId('destroy-keys-of-looks', month, now),
      stream: policyStream,
      effect: { kind: 'destroy-keys', subjects },
    };
  });
}
