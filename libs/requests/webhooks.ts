import { webhookStream } from '#domain/notifications/webhook';
import { asRows, type QueryTools } from './query-tools.ts';
import { ofStore, type Receipt, type RequestContext, type RequestTools } from './request-tools.ts';

export const webhookRequests = (tools: RequestTools) => ({
  /** NTF-4, DLV-9. The message is sent now, and with all its attempts again. */
  async replay(webhookId: string, context: RequestContext): Promise<Receipt> {
    const stream = webhookStream(webhookId);
    const { wish } = await tools.stateOf<'webhook'>(stream);
    const command = { type: 'ReplayWebhook', at: tools.now(), ...(await ofStore(tools, wish?.customerId)) } as const;
    return tools.send(webhookId, stream, command, context);
  },
});

/** Calls to customers' own programs (DLV-9). */
export const webhookQueries = ({ rows }: QueryTools) => ({
  list: asRows(rows.webhooks.list),
  get: ({ caller }: RequestContext, { webhookId }: { webhookId: string }) => rows.webhooks.find(caller, webhookId),
});
