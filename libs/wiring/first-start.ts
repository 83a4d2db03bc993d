import type { LeadType, Price, Store } from '#domain/catalogue/catalogue';
import { deriveId } from '#domain/kernel/ids';
import { defaultPolicy } from '#domain/policy/policy';
import type { Answer, Caller, Requests } from './requests.ts';

/** With what a new ledger begins, so that the first order can be placed. All of it can be added to and priced anew. */
export const firstStore: Store = { storeId: 'main', name: 'Main store', webAddress: 'http://127.0.0.1' };

const STATEMENT_DESCRIPTOR = 'LEADGER';
const NO_STREAM = -1;

/** Oldest first: what a lead type ages into is there before it. */
export const firstLeadTypes: readonly LeadType[] = (['exclusive', 'shared'] as const).flatMap((exclusivity) =>
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

/**
 * Writes what a new ledger needs, once. Each request has an id of its own which its stream remembers: a crash in the
 * middle is finished by the next start, and what the owner changed since stays changed. A ledger that somebody else
 * began is left as it is.
 */
export async function prepareNewStore(requests: Requests): Promise<void> {
  const ask = async (what: string, request: (caller: Caller) => Promise<Answer>, ifRevision?: number) => {
    const commandId = deriveId('first-start', what);
    const caller = { actor: 'system:first-start', commandId, requestHash: commandId };
    const { outcome } = await request(ifRevision === undefined ? caller : { ...caller, ifRevision });
    return outcome.kind;
  };
  const begun = await ask('policy', (caller) => requests.publishPolicy({ policy: defaultPolicy }, caller), NO_STREAM);
  if (begun !== 'accepted') return;
  await ask('descriptor', (caller) => requests.setStatementDescriptor(STATEMENT_DESCRIPTOR, caller));
  await ask('store', (caller) => requests.openStore(firstStore, caller));
  for (const leadType of firstLeadTypes)
    await ask(`lead type ${leadType.leadTypeId}`, (caller) => requests.defineLeadType(leadType, caller));
  for (const price of firstPrices)
    await ask(`price of ${price.leadTypeId}`, (caller) => requests.setPrice(price, caller));
}
