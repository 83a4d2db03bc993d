import type { CommandOf, FamilyName } from '#domain/ledger';
import { accountRequests } from './accounts.ts';
import { catalogueRequests } from './catalogue.ts';
import { checkoutRequests } from './checkouts.ts';
import { couponRequests } from './coupons.ts';
import { leadDeliveryRequests } from './lead-delivery.ts';
import { leadRequests } from './leads.ts';
import { orderRequests } from './orders.ts';
import { passwordRequests } from './passwords.ts';
import { type Draft, sendPlain } from './plain-command.ts';
import { policyRequests } from './policy.ts';
import { programmeRequests } from './programmes.ts';
import { type RequestContext, type RequestDependencies, requestTools } from './request-tools.ts';
import { returnRequests } from './returns.ts';
import { supportRequests } from './support.ts';

/**
 * What people and programs ask of the store, by subject. Each request looks up what the decision must know (price,
 * policy, receipt), seals personal data, and sends one command. The domain decides.
 */
export type Requests = ReturnType<typeof createRequests>;

export function createRequests(dependencies: RequestDependencies) {
  const tools = requestTools(dependencies);
  return {
    /** Any command for which nothing must be looked up. Texts that may name a person are marked with `personal`. */
    send: <Name extends FamilyName>(
      stream: `${Name}-${string}`,
      draft: Draft<CommandOf<Name>>,
      context: RequestContext,
    ) => sendPlain(tools, stream, draft, context),
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
  };
}
