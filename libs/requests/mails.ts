import type { Caller } from '#domain/kernel/caller';
import type { QueryTools } from './query-tools.ts';

/** Mails to customers (NTF). Processes send them, so they can only be read here. */
export const mailQueries = ({ rows, mails }: QueryTools) => ({
  list: rows.mails.list,
  get: (caller: Caller, { mailId }: { mailId: string }) => rows.mails.find(caller, mailId),
  /** The mail as it was sent, where copies are kept. @returns undefined when there is no such mail, or no copy */
  async getCopy(caller: Caller, { mailId }: { mailId: string }) {
    const row = await rows.mails.find(caller, mailId);
    return row && { copy: row.messageId === null ? undefined : await mails?.copyOf?.(row.messageId) };
  },
  /** The newest mails, and whether copies of mails are kept. */
  listNewest: async (caller: Caller, { limit }: { limit: number }) => ({
    mails: (await rows.mails.list(caller, { limit })).items,
    keepsCopies: mails?.copyOf !== undefined,
  }),
});
