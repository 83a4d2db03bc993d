import type { Caller } from '#domain/kernel/caller';
import type { QueryTools } from './query-tools.ts';

/** Calls to customers' own programs (DLV-9). */
export const webhookQueries = ({ rows }: QueryTools) => ({
  list: rows.webhooks.list,
  get: (caller: Caller, { webhookId }: { webhookId: string }) => rows.webhooks.find(caller, webhookId),
});
