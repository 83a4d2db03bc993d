import { isDeepStrictEqual } from 'node:util';
import { type CustomerCommand, customerStream } from '#domain/accounts/customer';
import { CONFIRMATION_MINUTES } from '#domain/accounts/link';
import { deriveId } from '#domain/kernel/ids';
import { type MailWish, mailStream } from '#domain/notifications/mail';
import { newLink } from './account-seals.ts';
import { asRows, type QueryDependencies, type QueryTools } from './query-tools.ts';
import { ofStore, type Receipt, type RequestContext, type RequestTools } from './request-tools.ts';
import { unsubscribe } from './unsubscribing.ts';

export const mailRequests = (tools: RequestTools) => ({
  /** Switches the kind of a mail off, by the token in that mail (NTF-6). */
  unsubscribe: (token: string, context: RequestContext) => unsubscribe(tools, token, context),
  retry: (mailId: string, context: RequestContext) => retry(tools, mailId, context),
  /** NTF-4. Nobody has to look at the mail any more. */
  acknowledgeFailure: (mailId: string, context: RequestContext) =>
    askOf(tools, 'AcknowledgeMailFailure', mailId, context),
});

async function askOf(
  tools: RequestTools,
  type: 'RetryMail' | 'AcknowledgeMailFailure',
  mailId: string,
  context: RequestContext,
): Promise<Receipt> {
  const { wish } = await tools.stateOf<'mail'>(mailStream(mailId));
  const command = { type, at: tools.now(), ...(await ofStore(tools, wish?.customerId)) } as const;
  return tools.send(mailId, mailStream(mailId), command, context);
}

/** NTF-4. A mail whose link has expired is withheld, so its customer gets a new link, in a mail of its own. */
async function retry(tools: RequestTools, mailId: string, context: RequestContext): Promise<Receipt> {
  const receipt = await askOf(tools, 'RetryMail', mailId, context);
  const { outcome } = receipt;
  if (outcome.kind !== 'accepted' || outcome.events.length === 0) return receipt;
  const { wish } = await tools.stateOf<'mail'>(mailStream(mailId));
  const command = wish && (await requestOfNewLink(tools, wish));
  if (!command) return receipt;
  const { ifRevision: _, ...rest } = context;
  const commandId = deriveId('new link', mailId, context.commandId);
  const { customerId } = wish;
  const { outcome: renewed } = await tools.send(customerId, customerStream(customerId), command, {
    ...rest,
    commandId,
  });
  return renewed.kind === 'accepted' ? { ...receipt, outcome: { ...outcome, position: renewed.position } } : receipt;
}

/** @returns undefined where the link is good, or nobody asks for it any more */
async function requestOfNewLink(
  tools: RequestTools,
  { kind, customerId, facts }: MailWish,
): Promise<CustomerCommand | undefined> {
  const at = tools.now();
  if (facts.expiresAt === undefined || at < facts.expiresAt) return undefined;
  const { recoveries, emailChange, confirmation } = await tools.stateOf<'customer'>(customerStream(customerId));
  if (kind === 'password-recovery' && recoveries.length > 0)
    return { type: 'RequestPasswordRecovery', at, ...(await newLink(tools, customerId)) };
  if (kind === 'address-change' && emailChange && isDeepStrictEqual(emailChange.email, facts.to)) {
    const { email, addressKey } = emailChange;
    return { type: 'RequestEmailChange', at, email, addressKey, ...(await newLink(tools, customerId)) };
  }
  if (kind === 'address-confirmation' && confirmation)
    return { type: 'RequestAddressConfirmation', at, ...(await newLink(tools, customerId, CONFIRMATION_MINUTES)) };
  return undefined;
}

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
