import type { ErrorCode } from './error-codes.ts';
import { refused } from './refused.ts';

/** Refusals about the catalogue, its prices, and the policy. */
export const catalogueRefusals: Readonly<Record<string, ErrorCode>> = {
  'ages-into-wrong-type': refused(
    409,
    'Unsold leads of this type cannot become that type.',
    'Name the next older type of the same exclusivity, or none.',
    'agesInto',
  ),
  'lead-type-exists': refused(
    409,
    'The lead type is defined already, with other details.',
    'Choose another id; or correct the lead type that there is, by its own routes.',
    'leadTypeId',
  ),
  'lead-type-retired': refused(
    409,
    'The lead type is retired: it is not sold any more. Open orders are served.',
    'Order another type; staff may re-open this one.',
    'leadTypeId',
  ),
  'always-qualifies': refused(
    409,
    'Orders of an exclusive lead type may always join Loyalty Rewards.',
    'Nothing: only shared types are marked.',
    'qualifiesForLoyaltyRewards',
  ),
  'not-sold': refused(
    409,
    'The store does not sell this lead type at present.',
    'Set a price first, or order another type.',
    'leadTypeId',
  ),
  'order-limits-crossed': refused(
    409,
    'The smallest order is larger than the largest.',
    'Exchange the two, or correct one.',
    'smallestOrder',
  ),
  'price-in-the-past': refused(
    409,
    'A price cannot take effect in the past.',
    'Send a later effectiveFrom, or none for now.',
    'effectiveFrom',
  ),
  'store-exists': refused(
    409,
    'The store is open already, with another name or address.',
    'Choose another id; or correct the store that there is, by its own routes.',
    'storeId',
  ),
  'unknown-lead-type': refused(409, 'There is no such lead type.', 'Define it first, or check the id.', 'leadTypeId'),
  'unknown-store': refused(409, 'There is no such store.', 'Open it first, or check the id.', 'storeId'),
  'policy-not-seen': refused(
    428,
    'Whoever publishes a policy says which versions they saw.',
    'Read /api/policy or /api/policy/versions, and send its ETag in If-Match.',
    'if-match',
  ),
  'policy-copy-unclear': refused(
    409,
    'A planned version of the policy took effect since the last publication: a copy of the whole policy may be older.',
    'Say which version it is a copy of, as `seenVersion`, or send only the fields that change, as `changes`.',
    'seenVersion',
  ),
  'policy-version-unknown': refused(
    409,
    'There is no such version of the policy.',
    'Look it up at /api/policy/versions.',
  ),
  'policy-contradicts-itself': refused(
    409,
    'Two values of the policy contradict each other.',
    'Correct the field that `errors` names.',
  ),
  'policy-in-the-past': refused(
    409,
    'A policy cannot take effect in the past.',
    'Send a later effectiveFrom, or none for now.',
    'effectiveFrom',
  ),
};
