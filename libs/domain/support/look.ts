import type { Decider } from '../kernel/decider.ts';
import { type EventsOf, fact, type Instant } from '../kernel/events.ts';
import { id } from '../kernel/fields.ts';
import { type RightsOf, supportOr } from '../kernel/rights.ts';

/** Which staff member viewed the history of a customer, and why (SUP-2). */
export const looksStream = (customerId: string) => `looks-${customerId}` as const;

export const monthOf = (at: Instant): string => at.slice(0, 'YYYY-MM'.length);

/** When a month (UTC) is over. */
export function monthAfter(month: string): Instant {
  const begins = new Date(`${month}-01T00:00:00.000Z`);
  begins.setUTCMonth(begins.getUTCMonth() + 1);
  return begins.toISOString();
}

/** The key of the reasons of all looks at one customer in one month: it is destroyed when they are old enough (ADR 28). */
export const lookKey = (customerId: string, month: string) => `${looksStream(customerId)}/${month}` as const;

/** @returns undefined for a key of another kind */
export const customerOfLookKey = (key: string): string | undefined => /^looks-([^/]+)\/\d{4}-\d\d$/.exec(key)?.[1];

export const monthOfLookKey = (key: string): string => key.slice(key.lastIndexOf('/') + 1);

/** The key of the reasons of looks in one month at customers who were erased before. */
export const lookAtErasedKey = (month: string) => `reasons-about-erased/${month}` as const;

export const lookEvents = {
  CustomerHistoryShown: fact({ customerId: id }),
};
export type LookEvent = EventsOf<typeof lookEvents>;

type LookCommand = { type: 'ShowCustomerHistory'; at: Instant; customerId: string };

/** Who may ask for which command. */
export const lookRights = {
  ShowCustomerHistory: supportOr('auditor', 'SUP-2'),
} satisfies RightsOf<LookCommand, Record<string, never>>;

/** Every view is recorded: there is no state that could refuse one. */
export const looks: Decider<Record<string, never>, LookCommand, LookEvent> = {
  initialState: () => ({}),
  decide: ({ at, customerId }) => [{ type: 'CustomerHistoryShown', data: { at, customerId } }],
  evolve: (state) => state,
};
