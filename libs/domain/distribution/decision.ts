import { z } from 'zod';
import { instant } from '../kernel/events.ts';

/** The rule by which a lead was given: replacements first, then orders (DLV-7). */
export const distributionRules = ['replacement-owed-longest', 'order-served-longest-ago'] as const;

/**
 * Why this customer got this lead (DLV-7, DLV-8). Stands in LeadAssigned and LeadDelivered, so that an auditor can
 * decide again: build the order book up to `decidedOn`, apply the decisions of that position with a smaller
 * `decisionIndex`, rank, compare.
 */
export const distributionDecision = z.object({
  rule: z.enum(distributionRules),
  rank: z.object({
    /** For a replacement: since when it is owed. */
    owedSince: instant.optional(),
    /** For an order: when it was last given a lead; absent when never. */
    lastServedAt: instant.optional(),
    /** For an order: its age. */
    placedAt: instant.optional(),
  }),
  decidedAt: instant,
  decidedOn: z.string(),
  decisionIndex: z.int().nonnegative(),
  policyVersion: z.int().positive(),
});
export type DistributionDecision = z.infer<typeof distributionDecision>;
