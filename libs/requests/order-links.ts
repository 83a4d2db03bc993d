import { timingSafeEqual } from 'node:crypto';
import { type CustomerState, customerStream } from '#domain/accounts/customer';
import { linkInvalid } from '#domain/accounts/link';
import type { Caller } from '#domain/kernel/caller';
import { ID } from '#domain/kernel/text';
import { orderStream } from '#domain/orders/order';
import type { Vault } from '#vault/vault';
import type { Receipt, RequestContext, RequestTools } from './request-tools.ts';

type Hashes = Pick<Vault, 'personKey'>;

/**
 * The token of the link by which the owner of an address sees and cancels an order that was placed with it, without sign-in (ACC-7).
 * It names the order, nobody who does not have the mail can make it, and it ends when the account has another address.
 */
export const orderLinkToken = (
  vault: Hashes,
  orderId: string,
  { addressKey = '' }: Pick<CustomerState, 'addressKey'>,
): string => `${orderId}.${vault.personKey('order-link', `${orderId} ${addressKey}`)}`;

type LinkTools = Pick<RequestTools, 'stateOf'> & { readonly vault: Hashes };

export interface LinkedOrder {
  readonly orderId: string;
  /** The customer, as whoever has the link in the mail. */
  readonly caller: Caller;
}

/** @returns undefined for a token that the store did not make, or which has ended */
export async function orderOfLink(tools: LinkTools, token: string): Promise<LinkedOrder | undefined> {
  const orderId = token.slice(0, Math.max(token.lastIndexOf('.'), 0));
  if (!ID.test(orderId)) return undefined;
  const { terms } = await tools.stateOf<'order'>(orderStream(orderId));
  if (!terms?.withoutSignIn) return undefined;
  const account = await tools.stateOf<'customer'>(customerStream(terms.customerId));
  const made = Buffer.from(orderLinkToken(tools.vault, orderId, account));
  const given = Buffer.from(token);
  const isGood = given.length === made.length && timingSafeEqual(given, made);
  return isGood ? { orderId, caller: callerWithLink(terms.customerId) } : undefined;
}

const callerWithLink = (customerId: string): Caller => ({
  kind: 'person',
  actor: `customer:${customerId}`,
  roles: ['customer'],
  stores: 'all',
  authenticated: 'mail-link',
});

/** ACC-7: the owner of the address may cancel what somebody ordered with it. */
export async function cancelByLink(tools: RequestTools, token: string, context: RequestContext): Promise<Receipt> {
  const linked = await orderOfLink(tools, token);
  if (!linked) return { id: token, outcome: { kind: 'refused', refusal: linkInvalid } };
  const { orderId, caller } = linked;
  const command = { type: 'CancelOrder', at: tools.now() } as const;
  return tools.send(orderId, orderStream(orderId), command, { ...context, caller });
}
