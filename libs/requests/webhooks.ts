import { webhookStream } from '#domain/notifications/webhook';
import { asRows, type QueryTools } from './query-tools.ts';
import type { RequestContext, RequestTools } from './request-tools.ts';

/** Calls to customers' own programs (DLV-9). */
export const webhookRequests = (tools: RequestTools) => ({
  /** Sends a lead again at the request of its customer or of support. */
  replay: (webhookId: string, context: RequestContext) =>
    tools.send(webhookId, webhookStream(webhookId), { type: 'ReplayWebhook', at: tools.now() }, context),
});

export const webhookQueries = ({ rows }: QueryTools) => ({
  list: asRows(rows.webhooks.list),
  get: ({ caller }: RequestContext, { webhookId }: { webhookId: string }) => rows.webhooks.find(caller, webhookId),
});
