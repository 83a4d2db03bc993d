import type { Instant } from '#domain/kernel/events';
import { defaultPolicy } from '#domain/policy/policy';
import { NO_STREAM } from '#requests/first-start';
import type { Requests } from '#requests/requests';
import { leadTypes, priceList, statementDescriptor, stores } from './assortment.ts';
import { asOwner, must } from './contexts.ts';
import { coupons } from './habits.ts';

/** Publishes the policy and the catalogue of the demo, without prices. */
export async function openForBusiness({ policy, catalogue, coupons: codes }: Requests, now: Instant): Promise<void> {
  await must(policy.publish({ policy: defaultPolicy }, { ...asOwner('policy'), ifRevision: NO_STREAM }));
  await must(catalogue.setStatementDescriptor(statementDescriptor, asOwner('descriptor')));
  for (const store of Object.values(stores)) await must(catalogue.openStore(store, asOwner('open', store.storeId)));
  for (const leadType of leadTypes)
    await must(catalogue.defineLeadType(leadType, asOwner('define', leadType.leadTypeId)));
  const storeIds = Object.values(stores).map(({ storeId }) => storeId);
  for (const coupon of coupons)
    await must(codes.define({ ...coupon, storeIds, validFrom: now }, asOwner('coupon', coupon.code)));
}

/** @param year years since the first day */
export async function setPrices({ catalogue }: Requests, year: number): Promise<void> {
  for (const price of priceList(year)) {
    const context = asOwner('price', String(year), price.storeId, price.leadTypeId);
    await must(catalogue.setPrice(price, context));
  }
}
