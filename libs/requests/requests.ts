import type { CommandOf, FamilyName } from '#domain/ledger';
import type { Patience } from '#event-store/port';
import { accountRequests } from './accounts.ts';
import { apiKeyRequests } from './api-keys.ts';
import { businessMergeRequests } from './business-merges.ts';
import { catalogueRequests } from './catalogue.ts';
import { checkoutRequests } from './checkouts.ts';
import { couponRequests } from './coupons.ts';
import { factorRequests } from './factors.ts';
import { leadDeliveryRequests } from './lead-delivery.ts';
import { leadRequests } from './leads.ts';
import { mailRequests } from './mails.ts';
import { orderRequests } from './orders.ts';
import { passwordRequests } from './passwords.ts';
import { type Draft, sendPlain } from './plain-command.ts';
import { policyRequests } from './policy.ts';
import { programmeRequests } from './programmes.ts';
import { receiptRequests } from './receipts.ts';
import { refundRequests } from './refunds.ts';
import { type RequestContext, type RequestDependencies, type RequestTools, requestTools } from './request-tools.ts';
import { returnRequests } from './returns.ts';
import { staffRequests } from './staff.ts';
import { supportRequests } from './support.ts';
import { suppressionRequests } from './suppressions.ts';
import { WaitingCommands } from './waiting-commands.ts';
import { webhookRequests } from './webhooks.ts';

/**
 * What people and programs ask of the store, by subject. Each request looks up what the decision must know (price,
 * policy, receipt), seals personal data, and sends one command. The domain decides.
 */
export type Requests = ReturnType<typeof createRequests>;

export function createRequests(dependencies: RequestDependencies) {
  // From their arrival on: what must be looked up before a decision waits for the store, too.
  const waiting = new WaitingCommands();
  const perRequest = <Subject extends object>(subject: SubjectOf<Subject>) =>
    withOwnTools(dependencies, waiting, subject);
  return {
    ...perRequest(plainRequests),
    catalogue: perRequest(catalogueRequests),
    policy: perRequest(policyRequests),
    accounts: perRequest(accountRequests),
    businessMerges: perRequest(businessMergeRequests),
    passwords: perRequest(passwordRequests),
    leadDelivery: perRequest(leadDeliveryRequests),
    checkouts: perRequest(checkoutRequests),
    coupons: perRequest(couponRequests),
    orders: perRequest(orderRequests),
    refunds: perRequest(refundRequests),
    receipts: perRequest(receiptRequests),
    programmes: perRequest(programmeRequests),
    leads: perRequest(leadRequests),
    mails: perRequest(mailRequests),
    webhooks: perRequest(webhookRequests),
    suppressions: perRequest(suppressionRequests),
    returns: perRequest(returnRequests),
    support: perRequest(supportRequests),
    staff: perRequest(staffRequests),
    factors: perRequest(factorRequests),
    apiKeys: perRequest(apiKeyRequests),
  };
}

const plainRequests = (tools: RequestTools) => ({
  /** Any command for which nothing must be looked up. Texts that may name a person are marked with `personal`. */
  send: <Name extends FamilyName>(
    stream: `${Name}-${string}`,
    draft: Draft<CommandOf<Name>>,
    context: RequestContext,
  ) => sendPlain(tools, stream, draft, context),
});

/** Where a request has a context, that says when its caller gives up: also on what is read before a command is sent. */
const patienceIn = (request: readonly unknown[]): Patience | undefined =>
  request.find((part): part is RequestContext => typeof part === 'object' && part !== null && 'commandId' in part);

type Ask = (...request: unknown[]) => Promise<unknown>;
type SubjectOf<Requests> = (tools: RequestTools) => Requests;

/** The same requests. Each call has tools of its own, so that its commands name what this call has read, and no other. */
function withOwnTools<Requests extends object>(
  dependencies: RequestDependencies,
  waiting: WaitingCommands,
  subject: SubjectOf<Requests>,
): Requests {
  const names = Object.keys(subject(requestTools(dependencies)));
  const ask =
    (name: string) =>
    (...request: unknown[]) => {
      const patience = patienceIn(request);
      const requests = subject(requestTools(dependencies, patience)) as Record<string, Ask>;
      const ask = requests[name] as Ask;
      return waiting.during(patience ?? {}, () => ask(...request));
    };
  return Object.fromEntries(names.map((name) => [name, ask(name)])) as Requests;
}
