import { isRefusal, type Refusal, refuse } from '#domain/kernel/decider';
import type { Instant } from '#domain/kernel/events';
import { leadStream } from '#domain/leads/lead';
import type { CommandOf, StateOf } from '#domain/ledger';
import { orderStream } from '#domain/orders/order';
import { noPolicy, type PolicyVersion } from '#domain/policy/policy';
import { explainDenial, replacement, replacementIdOf, replacementStream } from '#domain/replacements/replacement';
import type { ReplacementRow } from '#read-models/models/replacements';
import type { Marked } from '#read-models/queries/damaged';
import { seal, sealOrRefuse } from './account-seals.ts';
import type { HistoryRequest } from './histories.ts';
import { personal, sendPlain } from './plain-command.ts';
import { listOpened, openColumns, type QueryTools } from './query-tools.ts';
import type { Receipt, RequestContext, RequestTools } from './request-tools.ts';
import { checkRightEarly } from './rights.ts';
import { termsOfBusiness } from './terms-of-business.ts';

interface ReplacementRequest {
  readonly orderId: string;
  readonly leadId: string;
  readonly reason: string;
  readonly note?: string;
}

/** Bad leads that customers return, and what support decides (RPL). */
export const returnRequests = (tools: RequestTools) => ({
  request: (request: ReplacementRequest, context: RequestContext) => requestReplacement(tools, request, context),
  grant: (replacementId: string, context: RequestContext) =>
    tools.send(replacementId, replacementStream(replacementId), { type: 'GrantChargeback', at: tools.now() }, context),
  deny: (replacementId: string, explanation: string, context: RequestContext) =>
    sendPlain(
      tools,
      replacementStream(replacementId),
      { type: 'DenyChargeback', explanation: personal('explanation', explanation) },
      context,
    ),
});

type RequestReplacement = Extract<CommandOf<'replacement'>, { type: 'RequestReplacement' }>;

/** RPL-1, RPL-2. The receipt that counts is the one in the order's stream. */
async function requestReplacement(
  tools: RequestTools,
  { note, ...request }: ReplacementRequest,
  context: RequestContext,
): Promise<Receipt> {
  const at = tools.now();
  const id = replacementIdOf(request.orderId, request.leadId);
  const stream = replacementStream(id);
  const [order, { policy }] = await Promise.all([
    tools.stateOf<'order'>(orderStream(request.orderId)),
    termsOfBusiness(tools, at),
    // A lead that is damaged could not be withdrawn.
    tools.streams.read<'lead'>(leadStream(request.leadId)),
  ]);
  const command = requestOf(at, request, order, policy);
  if ('refused' in command) return tools.send(id, stream, command, context);
  const refusal = checkRightEarly(stream, command, replacement.initialState(), context);
  if (refusal) return tools.refuse(id, stream, refusal, context);
  return tools.send(id, stream, { ...command, ...(await sealedTexts(tools, command, note)) }, context);
}

/**
 * The note tells about the person of the lead, and the explanation of a denial about the customer's return. Of a person who
 * was erased no note is kept; the lead can still be returned.
 */
async function sealedTexts(
  { vault }: RequestTools,
  command: RequestReplacement,
  note: string | undefined,
): Promise<Pick<RequestReplacement, 'note' | 'explanation'>> {
  const explanation = explainDenial(command);
  const box = note && (await sealOrRefuse(vault, leadStream(command.leadId), 'note', note));
  return {
    ...(box && !isRefusal(box) && { note: box }),
    ...(explanation && { explanation: await seal(vault, command.customerId, 'explanation', explanation) }),
  };
}

function requestOf(
  at: Instant,
  { orderId, leadId, reason }: ReplacementRequest,
  { terms, receipts }: StateOf<'order'>,
  policy: PolicyVersion | undefined,
): RequestReplacement | Refusal {
  const deliveredAt = receipts.get(leadId);
  if (!policy) return noPolicy;
  if (!terms || !deliveredAt)
    return refuse('lead-not-delivered', `lead ${leadId} was not delivered to order ${orderId}`, 'RPL-1');
  const { customerId, storeId, leadTypeId } = terms;
  const about = { orderId, leadId, leadTypeId, customerId, storeId, reason, deliveredAt };
  const returnPolicy = { policyVersion: policy.version, ...policy.policy };
  return { type: 'RequestReplacement', at, ...about, returnPolicy };
}

/** Returns with the customer's note, and with the explanation of a denial, opened. */
export function returnQueries(tools: QueryTools) {
  const { replacements } = tools.rows;
  const open = (context: RequestContext, row: Marked<ReplacementRow>) =>
    openColumns<Marked<ReplacementRow>, { note: string; explanation: string }>(tools, context, row, [
      'note',
      'explanation',
    ]);
  return {
    list: listOpened(replacements.list, open),
    async get(context: RequestContext, { replacementId }: { replacementId: string }) {
      const row = await replacements.find(context.caller, replacementId);
      return row && open(context, row);
    },
    history: (context: RequestContext, { replacementId, ...upTo }: { replacementId: string } & HistoryRequest) =>
      tools.histories.of(context, replacementStream(replacementId), upTo),
  };
}
