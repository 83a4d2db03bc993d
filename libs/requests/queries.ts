import { accountQueries } from './accounts.ts';
import { apiKeyQueries } from './api-keys.ts';
import { attentionQueries } from './attention.ts';
import { businessMergeQueries } from './business-merges.ts';
import { catalogueQueries } from './catalogue.ts';
import { changeQueries } from './changes.ts';
import { checkoutQueries } from './checkout-details.ts';
import { couponQueries } from './coupons.ts';
import { deliveredLeadQueries } from './delivered-leads.ts';
import { factorQueries } from './factors.ts';
import { operationQueries } from './health.ts';
import { leadDeliveryQueries } from './lead-delivery.ts';
import { leadQueries } from './leads.ts';
import { mailQueries } from './mails.ts';
import { orderQueries } from './orders.ts';
import { personQueries } from './person-exports.ts';
import { policyQueries } from './policy.ts';
import { programmeQueries } from './programmes.ts';
import type { queryTools } from './query-tools.ts';
import { receiptQueries } from './receipts.ts';
import { refundQueries } from './refunds.ts';
import type { RequestContext } from './request-tools.ts';
import { returnQueries } from './returns.ts';
import { sessionQueries } from './sessions.ts';
import { staffQueries } from './staff.ts';
import { supportQueries } from './support.ts';
import { suppressionQueries } from './suppression-lists.ts';
import { webhookQueries } from './webhooks.ts';

/**
 * What people and programs may read of the store, by subject. Each query takes who asks and why, and what it asks for. One that
 * looks for a single thing returns undefined when it is not there, or the caller may not see it.
 */
export type Queries = ReturnType<typeof createQueries>;

export function createQueries(tools: ReturnType<typeof queryTools>) {
  return {
    catalogue: catalogueQueries(tools),
    policy: policyQueries(tools),
    accounts: accountQueries(tools),
    businessMerges: businessMergeQueries(tools),
    leadDelivery: leadDeliveryQueries(tools),
    checkouts: checkoutQueries(tools),
    coupons: couponQueries(tools),
    orders: orderQueries(tools),
    refunds: refundQueries(tools),
    receipts: receiptQueries(tools),
    programmes: programmeQueries(tools),
    leads: leadQueries(tools),
    deliveredLeads: deliveredLeadQueries(tools),
    returns: returnQueries(tools),
    mails: mailQueries(tools),
    webhooks: webhookQueries(tools),
    suppressions: suppressionQueries(tools),
    support: supportQueries(tools),
    persons: personQueries(tools),
    staff: staffQueries(tools),
    apiKeys: apiKeyQueries(tools),
    sessions: sessionQueries(tools),
    factors: factorQueries(tools),
    attention: attentionQueries(tools),
    changes: changeQueries(tools),
    operations: operationQueries(tools),
  };
}

/** What a query, or an operation, is asked for. */
export type RequestOf<Ask> = Ask extends (context: RequestContext, request: infer Request) => unknown ? Request : never;
