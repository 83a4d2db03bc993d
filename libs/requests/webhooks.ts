import type { Caller } from '#domain/kernel/caller';
import { webhookStream } from '#domain/notifications/webhook';
import type { QueryTools } from './query-tools.ts';
import type { RequestContext, RequestTools } from './request-tools.ts';

/** Calls to customers' own programs (DLV-9). */
export const webhookRequests = (tools: RequestTools) => ({
  /** Sends a lead again at the request of its customer or of support. */
  retry: (webhookId: string, context: RequestContext) =>
    tools.send(webhookId, webhookStream(webhookId), { type: 'ReplayWebhook', at: tools.now() }, context),
});

export const webhookQueries = ({ rows }: QueryTools) => ({
  list: rows.webhooks.list,
  get: (caller: Caller, { webhookId }: { webhookId: string }) => rows.webhooks.find(caller, webhookId),
});
