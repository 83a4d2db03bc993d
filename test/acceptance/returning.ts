import type { Shop } from './shop.ts';

export const VERIFIED = { 'leadger-actor': 'staff:ada', 'leadger-reason': 'called the number' };

/** What customers and support do about bad leads. `shop`: the one of the spec file, once it is open. */
export function returnsOf(shop: () => Shop) {
  const order = (orderId: string) => shop().read(`/api/orders/${orderId}`);
  const replacement = (replacementId: string) => shop().read(`/api/replacements/${replacementId}`);
  const deliveries = async (orderId: string) =>
    (await shop().history(`/api/orders/${orderId}`)).filter(({ type }) => type === 'LeadDelivered');
  /** The events of a return as `[type, at]`. */
  const story = async (replacementId: string) =>
    (await shop().history(`/api/replacements/${replacementId}`)).map(({ type, at }) => [type, at]);

  const giveBack = async (orderId: string, leadId: string, details: object = {}): Promise<string> =>
    (await shop().ask('POST', '/api/replacements', { orderId, leadId, reason: 'wrong number', ...details }))
      .replacementId;
  const grant = (replacementId: string) =>
    shop().ask('POST', `/api/replacements/${replacementId}/grant`, undefined, 200, VERIFIED);
  const deny = (replacementId: string, explanation: string) =>
    shop().ask('POST', `/api/replacements/${replacementId}/deny`, { explanation }, 200, VERIFIED);
  const granted = async (orderId: string, leadId: string): Promise<string> => {
    const replacementId = await giveBack(orderId, leadId);
    await grant(replacementId);
    return replacementId;
  };

  /** An order of a new lead type, with one delivered lead. */
  const served = async (details: Record<string, unknown> = {}, traits: Record<string, unknown> = {}) => {
    const leadTypeId = await shop().leadType(traits);
    const customerId = await shop().customer();
    const orderId = await shop().order(customerId, { leadTypeId, ...details });
    return { leadTypeId, customerId, orderId, leadId: await shop().lead(leadTypeId) };
  };

  return { order, replacement, deliveries, story, giveBack, grant, deny, granted, served };
}
