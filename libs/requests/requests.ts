import { accountRequests } from './accounts.ts';
import { catalogueRequests } from './catalogue.ts';
import { checkoutRequests } from './checkouts.ts';
import { couponRequests } from './coupons.ts';
import { leadDeliveryRequests } from './lead-delivery.ts';
import { leadRequests } from './leads.ts';
import { orderRequests } from './orders.ts';
import { passwordRequests } from './passwords.ts';
import { policyRequests } from './policy.ts';
import { programmeRequests } from './programmes.ts';
import { type RequestDependencies, requestTools } from './request-tools.ts';
import { returnRequests } from './returns.ts';
import { supportRequests } from './support.ts';
import { webhookRequests } from './webhooks.ts';

/**
 * What people and programs ask of the store, by subject. Each request looks up what the decision must know (price,
 * policy, receipt), seals personal data, and sends one command. The domain decides.
 */
export type Requests = ReturnType<typeof createRequests>;

export function createRequests(dependencies: RequestDependencies) {
  const tools = requestTools(dependencies);
  return {
    catalogue: catalogueRequests(tools),
    policy: policyRequests(tools),
    accounts: accountRequests(tools),
    passwords: passwordRequests(tools),
    leadDelivery: leadDeliveryRequests(tools),
    checkouts: checkoutRequests(tools),
    coupons: couponRequests(tools),
    orders: orderRequests(tools),
    programmes: programmeRequests(tools),
    leads: leadRequests(tools),
    returns: returnRequests(tools),
    support: supportRequests(tools),
    webhooks: webhookRequests(tools),
  };
}
