import type { LeadType, Price, Store } from '#domain/catalogue/catalogue';
import type { Caller } from '#domain/kernel/caller';
import { deriveId } from '#domain/kernel/ids';
import { defaultPolicy } from '#domain/policy/policy';
import type { RequestContext } from './request-tools.ts';
import type { Requests } from './requests.ts';

/** What a new ledger begins with, so that the first order can be placed. The owner may add to it and change prices. */
export const firstStore: Store = { storeId: 'main', name: 'Main store', webAddress: 'http://127.0.0.1' };

const STATEMENT_DESCRIPTOR = 'LEADGER';
/** Who begins a stream has seen none of it. */
export const NO_STREAM = -1;

/** The oldest first: a lead type must exist before another one can age into it. */
const firstLeadTypes: readonly LeadType[] = (['exclusive', 'shared'] as const).flatMap((exclusivity) =>
  (
    [
      { freshness: 'aged', usualDelivery: 'a few business days' },
      { freshness: 'fresh', usualDelivery: 'one business day', agesInto: `${exclusivity}-aged` },
      { freshness: 'real-time', usualDelivery: 'at once', agesInto: `${exclusivity}-fresh` },
    ] as const
  ).map((traits) => ({
    leadTypeId: `${exclusivity}-${traits.freshness}`,
    name: `${exclusivity === 'exclusive' ? 'Exclusive' : 'Shared'} ${traits.freshness} leads`,
    exclusivity,
    qualifiesForLoyaltyRewards: exclusivity === 'exclusive',
    ...traits,
  })),
);

const firstPricesInCents: Readonly<Record<string, number>> = {
  'exclusive-real-time': 1000,
  'exclusive-fresh': 600,
  'exclusive-aged': 200,
  'shared-real-time': 400,
  'shared-fresh': 250,
  'shared-aged': 75,
};

const firstPrices: readonly Omit<Price, 'effectiveFrom'>[] = Object.entries(firstPricesInCents).map(
  ([leadTypeId, pricePerLeadCents]) => ({
    storeId: firstStore.storeId,
    leadTypeId,
    pricePerLeadCents,
    currency: 'USD',
    smallestOrder: 1,
    largestOrder: 1000,
  }),
);

const caller: Caller = {
  kind: 'program',
  actor: 'system:first-start',
  roles: ['administrator', 'catalogue-manager'],
  stores: 'all',
};

/**
 * Writes what a new ledger needs, once. Each request has a fixed id, which its stream remembers: after a crash the next
 * start continues, and it does not overwrite later changes of the owner. A ledger that was begun in another way is not
 * changed.
 */
export async function prepareNewStore({ policy, catalogue }: Requests): Promise<void> {
  const begun = await policy.publish({ policy: defaultPolicy }, { ...contextOf('policy'), ifRevision: NO_STREAM });
  if (begun.outcome.kind !== 'accepted') return;
  await catalogue.setStatementDescriptor(STATEMENT_DESCRIPTOR, contextOf('descriptor'));
  await catalogue.openStore(firstStore, contextOf('store'));
  for (const leadType of firstLeadTypes)
    await catalogue.defineLeadType(leadType, contextOf(`lead type ${leadType.leadTypeId}`));
  for (const price of firstPrices) await catalogue.setPrice(price, contextOf(`price of ${price.leadTypeId}`));
}

function contextOf(what: string): RequestContext {
  const commandId = deriveId('first-start', what);
  return { caller, commandId, requestHash: commandId };
}
