import { z } from 'zod';
import { count, instant } from '../kernel/events.ts';
import { position } from '../kernel/fields.ts';

/** The rule by which a lead was given: replacements first, then orders (DLV-7). */
const distributionRules = ['replacement-owed-longest', 'order-served-longest-ago'] as const;

/**
 * Why this customer got this lead (DLV-7, DLV-8). LeadAssigned and LeadDelivered carry it, so that an auditor can repeat
 * the decision: build the order book from the first `eventsSeen` events of the ledger, apply the decisions that saw
 * equally many and have a smaller `decisionIndex`, rank, compare.
 */
export const distributionDecision = z.object({
  rule: z.enum(distributionRules),
  rank: z.object({
    /** For a replacement: when it began to be owed. */
    owedSince: instant.optional(),
    /** For an order: when it last got a lead; absent when it never did. */
    lastServedAt: instant.optional(),
    /** For an order: when it was placed. */
    placedAt: instant.optional(),
  }),
  decidedAt: instant,
  /** How many events of the ledger it had seen: the same number in every copy of the log. */
  eventsSeen: count.optional(),
  /** In decisions before `eventsSeen`: the position of the last event seen. Only the log in which it was made knows it. */
  decidedOn: position.optional(),
  decisionIndex: z.int().nonnegative(),
  policyVersion: z.int().positive(),
});
export type DistributionDecision = z.infer<typeof distributionDecision>;
