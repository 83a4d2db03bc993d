import { asRows, type QueryDependencies, type QueryTools } from './query-tools.ts';
import type { RequestContext, RequestTools } from './request-tools.ts';
import { unsubscribe } from './unsubscribing.ts';

export const mailRequests = (tools: RequestTools) => ({
  /** Switches the kind of a mail off, by the token in that mail (NTF-6). */
  unsubscribe: (token: string, context: RequestContext) => unsubscribe(tools, token, context),
});

/** Mails to customers (NTF). Processes send them, so they can only be read here. */
export const mailQueries = ({ rows, mails }: QueryTools & Pick<QueryDependencies, 'mails'>) => ({
  list: asRows(rows.mails.list),
  get: ({ caller }: RequestContext, { mailId }: { mailId: string }) => rows.mails.find(caller, mailId),
  /** The mail as it was sent, where copies are kept. @returns undefined when there is no such mail, or no copy */
  async getCopy({ caller }: RequestContext, { mailId }: { mailId: string }) {
    const row = await rows.mails.find(caller, mailId);
    return row && { copy: row.messageId === null ? undefined : await mails?.copyOf?.(row.messageId) };
  },
  /** The newest mails, and whether copies of mails are kept. */
  listNewest: async ({ caller }: RequestContext, { limit }: { limit: number }) => ({
    mails: (await rows.mails.list(caller, { limit })).items,
    keepsCopies: mails?.copyOf !== undefined,
  }),
});
