import { z } from 'zod';
import type { Decider } from '../kernel/decider.ts';
import { type EventsOf, fact, type Instant } from '../kernel/events.ts';

/** Who of the staff looked at all that happened to a customer, and why: an act like any other of support (SUP-2). */
export const looksStream = (customerId: string) => `looks-${customerId}` as const;

export const lookEvents = {
  CustomerHistoryShown: fact({ customerId: z.string() }),
};
export type LookEvent = EventsOf<typeof lookEvents>;

export type LookCommand = { type: 'ShowCustomerHistory'; at: Instant; customerId: string };

/** Nothing that happened before forbids a look, or makes it needless. */
export const looks: Decider<Record<string, never>, LookCommand, LookEvent> = {
  initialState: () => ({}),
  decide: ({ at, customerId }) => [{ type: 'CustomerHistoryShown', data: { at, customerId } }],
  evolve: (state) => state,
};
