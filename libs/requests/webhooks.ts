import { webhookStream } from '#domain/notifications/webhook';
import type { RequestContext, RequestTools } from './request-tools.ts';

/** Calls to customers' own programs (DLV-9). */
export const webhookRequests = (tools: RequestTools) => ({
  /** Has a lead sent again: its customer asks, or support. */
  replay: (webhookId: string, context: RequestContext) =>
    tools.send(webhookId, webhookStream(webhookId), { type: 'ReplayWebhook', at: tools.now() }, context),
});
