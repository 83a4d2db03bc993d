import { asRows, type QueryTools } from './query-tools.ts';
import type { RequestContext } from './request-tools.ts';

/** Calls to customers' own programs (DLV-9). */
export const webhookQueries = ({ rows }: QueryTools) => ({
  list: asRows(rows.webhooks.list),
  get: ({ caller }: RequestContext, { webhookId }: { webhookId: string }) => rows.webhooks.find(caller, webhookId),
});
