import { isRefusal, type Refusal, refuse } from '#domain/kernel/decider';
import type { Instant } from '#domain/kernel/events';
import { leadStream } from '#domain/leads/lead';
import type { CommandOf, StateOf } from '#domain/ledger';
import { orderStream } from '#domain/orders/order';
import { endOfReturnWindow } from '#domain/orders/return-promise';
import { noPolicy, type PolicyState, policyAt, policyStream } from '#domain/policy/policy';
import { replacement, replacementIdOf, replacementStream } from '#domain/replacements/replacement';
import { explainDenial } from '#domain/replacements/request';
import type { ReplacementRow } from '#read-models/models/replacements';
import type { Marked } from '#read-models/queries/damaged';
import { openIfThere, seal, sealOrRefuse } from './account-seals.ts';
import type { HistoryRequest } from './histories.ts';
import { personal, sendPlain } from './plain-command.ts';
import { listOpened, openColumns, type QueryTools } from './query-tools.ts';
import type { Receipt, RequestContext, RequestTools } from './request-tools.ts';
import { checkRightEarly } from './rights.ts';

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
  /** RPL-11. */
  grantGoodwill: (replacementId: string, context: RequestContext) =>
    sendPlain(tools, replacementStream(replacementId), { type: 'GrantGoodwill' }, context),
  /** RPL-10. Without an explanation it is granted now; with one it is denied now. */
  correct: (replacementId: string, explanation: string | undefined, context: RequestContext) =>
    sendPlain(
      tools,
      replacementStream(replacementId),
      explanation === undefined
        ? { type: 'CorrectToGranted' }
        : { type: 'CorrectToDenied', explanation: personal('explanation', explanation) },
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
  const [order, policies] = await Promise.all([
    tools.stateOf<'order'>(orderStream(request.orderId)),
    tools.stateOf<'policy'>(policyStream),
    // A lead that is damaged could not be withdrawn.
    tools.streams.read<'lead'>(leadStream(request.leadId)),
  ]);
  const command = requestOf(at, request, order, policies);
  if ('refused' in command) return tools.send(id, stream, command, context);
  const refusal = checkRightEarly(stream, command, replacement.initialState(), context);
  if (refusal) return tools.refuse(id, stream, refusal, context);
  const first = await sendSealed(tools, id, command, note, context);
  // Two equal requests at the same moment sealed the same note twice: compared with the one that was stored, it is equal.
  const isRefused = first.outcome.kind === 'refused' && first.outcome.refusal.code === 'return-requested';
  return note && isRefused ? sendSealed(tools, id, command, note, context) : first;
}

async function sendSealed(
  tools: RequestTools,
  id: string,
  command: RequestReplacement,
  note: string | undefined,
  context: RequestContext,
): Promise<Receipt> {
  const explanation = explainDenial(command);
  const box = note && (await noteBox(tools, id, command, note));
  const texts = {
    ...(box && !isRefusal(box) && { note: box }),
    ...(explanation && { explanation: await seal(tools.vault, command.customerId, 'explanation', explanation) }),
  };
  return tools.send(id, replacementStream(id), { ...command, ...texts }, context);
}

/**
 * The note tells about the person of the lead. Of a person who was erased no note is kept; the lead can still be returned.
 * A note that was recorded with the same words keeps its box: boxes of equal words differ.
 */
async function noteBox({ vault, streams }: RequestTools, id: string, { leadId }: RequestReplacement, note: string) {
  const { state } = await streams.read<'replacement'>(replacementStream(id));
  for (const request of state.requests) if ((await openIfThere(vault, request.note)) === note) return request.note;
  return sealOrRefuse(vault, leadStream(leadId), 'note', note);
}

function requestOf(
  at: Instant,
  { orderId, leadId, reason }: ReplacementRequest,
  { terms, receipts, returnPromises }: StateOf<'order'>,
  policies: PolicyState,
): RequestReplacement | Refusal {
  const policy = policyAt(policies, at);
  const deliveredAt = receipts.get(leadId);
  const promise = returnPromises.get(leadId);
  if (!policy) return noPolicy;
  if (!terms || !deliveredAt || !promise)
    return refuse('lead-not-delivered', `lead ${leadId} was not delivered to order ${orderId}`, 'RPL-1');
  const { customerId, storeId, leadTypeId } = terms;
  const returnableUntil = endOfReturnWindow(deliveredAt, promise, policies, policy);
  const about = { orderId, leadId, leadTypeId, customerId, storeId, reason, deliveredAt, returnableUntil };
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
