import { type CustomerState, customerStream, type LeadDelivery } from '#domain/accounts/customer';
import type { Sealed } from '#domain/kernel/events';
import type { Vault } from '#vault/vault';
import { changeSealed, seal, sealSecret } from './account-seals.ts';
import type { Answer, RequestContext, RequestTools } from './request-tools.ts';

export interface LeadDeliveryRequest {
  readonly mails: LeadDelivery['mails'];
  readonly webhookUrl?: string;
}

export interface OpenedLeadDelivery {
  readonly mails: LeadDelivery['mails'];
  readonly webhookUrl: string | null;
  readonly signingSecret: string | null;
}

/** How customers want to receive their leads (DLV-9). */
export const leadDeliveryRequests = (tools: RequestTools) => ({
  choose: (customerId: string, request: LeadDeliveryRequest, context: RequestContext) =>
    choose(tools, customerId, request, context),
  /** What the customer chose, opened: the signing secret belongs to the customer. */
  async show(customerId: string): Promise<OpenedLeadDelivery> {
    const { leadDelivery } = await tools.stateOf<'customer'>(customerStream(customerId));
    return opened(tools.vault, leadDelivery);
  },
});

const choose = (
  tools: RequestTools,
  customerId: string,
  { mails, webhookUrl }: LeadDeliveryRequest,
  context: RequestContext,
): Promise<Answer> =>
  changeSealed(tools, customerId, 'ChooseLeadDelivery', context, async () => {
    const { vault, now } = tools;
    const chosen = { type: 'ChooseLeadDelivery', at: now(), mails } as const;
    if (webhookUrl === undefined) return chosen;
    const url = await seal(vault, customerId, webhookUrl);
    const signingSecret = await sealSecret(vault, customerId, signingSecretOf(vault, context.commandId));
    return { ...chosen, webhook: { url, signingSecret } };
  });

async function opened(vault: Vault, { mails, webhook }: CustomerState['leadDelivery']): Promise<OpenedLeadDelivery> {
  const open = async (box: Sealed | undefined) => box && ((await vault.open(box)) as string | undefined);
  const [webhookUrl = null, signingSecret = null] = await Promise.all([
    open(webhook?.url),
    open(webhook?.signingSecret),
  ]);
  return { mails, webhookUrl, signingSecret };
}

/** In the form of Standard Webhooks. Made of the command id, so that a repeat of the request makes the same secret. */
function signingSecretOf(vault: Vault, commandId: string): string {
  const halves = ['1', '2'].map((half) => vault.personKey('webhook-secret', `${commandId}/${half}`));
  return `whsec_${Buffer.from(halves.join(''), 'base64url').toString('base64')}`;
}
