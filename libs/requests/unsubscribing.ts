import { timingSafeEqual } from 'node:crypto';
import { customerStream } from '#domain/accounts/customer';
import { deriveId } from '#domain/kernel/ids';
import { alwaysSent } from '#domain/notifications/kinds';
import { mailStream } from '#domain/notifications/mail';
import type { Vault } from '#vault/vault';
import type { RequestContext, RequestTools } from './request-tools.ts';

type Hashes = Pick<Vault, 'personKey'>;

/**
 * The token of the link in a mail by which its customer switches that kind of mails off (RFC 8058). It names the mail, and nobody
 * who does not have the mail can make it.
 */
export const unsubscribeToken = (vault: Hashes, mailId: string): string =>
  `${mailId}.${vault.personKey('unsubscribe', mailId)}`;

/** @returns the mail; undefined for a token that the store did not make */
function mailOf(vault: Hashes, token: string): string | undefined {
  const mailId = token.slice(0, Math.max(token.lastIndexOf('.'), 0));
  const [given, made] = [token, unsubscribeToken(vault, mailId)].map((one) => Buffer.from(one)) as [Buffer, Buffer];
  return given.length === made.length && timingSafeEqual(given, made) ? mailId : undefined;
}

/**
 * Switches the kind of a mail off for its customer (NTF-6). Who has the link needs no sign-in, and learns nothing: a wrong token, a
 * mail of a kind that is always sent and an erased customer are answered alike.
 */
export async function unsubscribe(tools: RequestTools, token: string, context: RequestContext): Promise<void> {
  const mailId = mailOf(tools.vault, token);
  if (mailId === undefined) return;
  const { wish } = await tools.stateOf<'mail'>(mailStream(mailId));
  if (!wish || alwaysSent.has(wish.kind)) return;
  const { kind, customerId } = wish;
  const command = { type: 'SwitchMailOff', at: tools.now(), kind } as const;
  // By hand it may have been switched on again since: each request is one of its own.
  const commandId = deriveId('unsubscribe', mailId, context.commandId);
  await tools.send(customerId, customerStream(customerId), command, { ...context, commandId });
}
