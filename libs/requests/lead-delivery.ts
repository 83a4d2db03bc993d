import { z } from 'zod';
import { customerStream, isRegistered, type LeadDelivery, leadMailChoices } from '#domain/accounts/customer';
import { refuse } from '#domain/kernel/decider';
import { addSeconds } from '#domain/kernel/instants';
import type { Vault } from '#vault/vault';
import { changeSealed, openIfThere, seal, sealSecret } from './account-seals.ts';
import { keyMissing, openRow, type QueryTools } from './query-tools.ts';
import type { Receipt, RequestContext, RequestTools } from './request-tools.ts';
import { revision } from './revision.ts';

interface LeadDeliveryRequest {
  readonly mails: LeadDelivery['mails'];
  readonly webhookUrl?: string;
  /** Also for an address that has a secret already. */
  readonly newSigningSecret?: boolean;
}

export const openedLeadDelivery = z.object({
  mails: z.enum(leadMailChoices).describe('One mail an hour about all new leads, or one about each lead.'),
  webhookUrl: z.string().nullable().describe('Where each lead is sent. Null: nowhere.'),
  signingSecret: z
    .string()
    .nullable()
    .describe(
      'The secret that calls are signed with. It stays until the address changes, or until a new one is asked for (newSigningSecret): then calls have the signature of the former one, too, for a day. Null: no calls are made.',
    ),
  revision,
  keyMissing,
});
export type OpenedLeadDelivery = Readonly<z.infer<typeof openedLeadDelivery>>;

/** So long a customer has time to give a new secret to the program. */
const OVERLAP_SECONDS = 24 * 3600;

/** How customers want to receive their leads (DLV-9). */
export const leadDeliveryRequests = (tools: RequestTools) => ({
  choose: (customerId: string, request: LeadDeliveryRequest, context: RequestContext) =>
    choose(tools, customerId, request, context),
});

const notPublic = refuse('webhook-address-private', 'webhooks are called on the public Internet only', 'DLV-9');

const choose = (
  tools: RequestTools,
  customerId: string,
  { mails, webhookUrl, newSigningSecret = false }: LeadDeliveryRequest,
  context: RequestContext,
): Promise<Receipt> =>
  changeSealed(tools, customerId, 'ChooseLeadDelivery', context, async ({ leadDelivery: { webhook: present } }) => {
    const { vault, now } = tools;
    const chosen = { type: 'ChooseLeadDelivery', at: now(), mails } as const;
    if (webhookUrl === undefined) return chosen;
    // The customer's program checks calls with the secret that it has.
    const isPresent = present && (await openIfThere(vault, present.url)) === webhookUrl;
    if (isPresent && !newSigningSecret) return { ...chosen, webhook: present };
    if (!isPresent && tools.refusesWebhook?.(webhookUrl)) return notPublic;
    const url = await seal(vault, customerId, 'webhook-address', webhookUrl);
    const signingSecret = await sealSecret(
      vault,
      customerId,
      'webhook-secret',
      signingSecretOf(vault, context.commandId),
    );
    const former = isPresent && { signingSecret: present.signingSecret, until: addSeconds(chosen.at, OVERLAP_SECONDS) };
    return { ...chosen, webhook: { url, signingSecret, ...(former && { former }) } };
  });

/** In the form of Standard Webhooks. Derived from the command id, so that a repeated request gives the same secret. */
function signingSecretOf(vault: Vault, commandId: string): string {
  const halves = ['1', '2'].map((half) => vault.personKey('webhook-secret', `${commandId}/${half}`));
  return `whsec_${Buffer.from(halves.join(''), 'base64url').toString('base64')}`;
}

export const leadDeliveryQueries = (tools: QueryTools) => ({
  /** The customer's settings, with the signing secret opened. @returns undefined when there is no such customer */
  async get(context: RequestContext, { customerId }: { customerId: string }): Promise<OpenedLeadDelivery | undefined> {
    const { state, revision } = await tools.streams.read<'customer'>(customerStream(customerId));
    if (!isRegistered(state)) return undefined;
    const { mails, webhook } = state.leadDelivery;
    return openRow(tools, context, async (open) => ({
      mails,
      webhookUrl: await open<string>(webhook?.url),
      signingSecret: await open<string>(webhook?.signingSecret),
      revision,
    }));
  },
});
