import type { FactOf } from '#domain/codec';
import type { Caller } from '#domain/kernel/caller';
import { mailIdOf, mailStream } from '#domain/notifications/mail';
import { webhookIdOf, webhookStream } from '#domain/notifications/webhook';
import { orderStream } from '#domain/orders/order';
import { replacementStream } from '#domain/replacements/replacement';
import type { HistoryReader } from './histories.ts';
import type { QueryTools } from './query-tools.ts';

/** How the contact of a lead went to one of its customers: streams of the messages that may have had it. */
interface Passing {
  readonly mails: readonly string[];
  readonly webhook: string;
}

/** The ids of the messages follow from the receipt and, for a lead that replaces another, from the end of the return. */
export async function passingsOn(
  { rows, histories }: Pick<QueryTools, 'rows'> & { readonly histories: Pick<HistoryReader, 'facts'> },
  caller: Caller,
  leadId: string,
): Promise<readonly Passing[]> {
  const passings: Passing[] = [];
  for (const { orderId, forReplacementId } of await rows.leads.deliveries(caller, leadId)) {
    const returned = forReplacementId === null ? [] : [replacementStream(forReplacementId)];
    const facts = await histories.facts([orderStream(orderId), ...returned]);
    const replaced = facts.find(
      (fact) => fact.type === 'ReplacementDelivered' && fact.data.replacementLeadId === leadId,
    );
    const isReceipt = (fact: (typeof facts)[number]): fact is FactOf<'LeadDelivered'> =>
      fact.type === 'LeadDelivered' && fact.data.leadId === leadId;
    for (const { eventId } of facts.filter(isReceipt))
      passings.push({
        mails: [
          mailStream(mailIdOf('leads-delivered', eventId)),
          ...(replaced ? [mailStream(mailIdOf('replacement-delivered', replaced.eventId))] : []),
        ],
        webhook: webhookStream(webhookIdOf(eventId)),
      });
  }
  return passings;
}
