import { z } from 'zod';
import { codeIn, declineReasons } from '../kernel/declines.ts';
import { cents, count, instant, unsealed } from '../kernel/events.ts';
import { currency, id, sealedFor, secretFor, storeText, timeZone } from '../kernel/fields.ts';
import { suppression } from '../leads/suppression.ts';
import { holdCauses } from '../loyalty/programme.ts';
import { receiptKinds } from '../receipts/receipts.ts';
import { verdicts } from '../replacements/replacement.ts';
import { accountChanges } from './kinds.ts';

const money = { totalCents: cents, currency };
const order = { orderId: id, storeId: id, leadTypeId: id, statementDescriptor: storeText };

/**
 * The facts in a mail besides its customer, by name. Each mail has some of them. What a person wrote is a box, so that it
 * can be erased; a fact with another name is refused.
 */
export const mailFacts = z
  .strictObject({
    ...order,
    ...money,
    /** The order was placed without sign-in: its mails have a link that shows it (ACC-7). */
    withoutSignIn: z.literal(true),
    quantity: count,
    bonusLeads: count,
    renewalNumber: z.int().positive(),
    /** In Loyalty Rewards: how often the order renews, when next, and for how much (NTF-5). */
    cadenceDays: z.number().positive(),
    renewsAt: instant,
    renewalTotalCents: cents,
    undeliveredLeads: count,
    /** The receipt that the mail brings (CHK-8), of the store of the order. */
    receiptId: id,
    receiptNumber: z.int().positive(),
    receiptKind: z.enum(receiptKinds),
    declineReason: z.enum(declineReasons),
    /** Of the order: its dates are told in it. Absent in older mails, which tell them in UTC. */
    timeZone,
    /** When a declined payment is tried again. */
    retryAt: instant,
    dueAt: instant,
    /** Who or what held a programme. */
    cause: z.enum(holdCauses),
    leadId: id,
    /** Why the person of a lead must not be contacted any more (DLV-12). */
    suppression,
    returnReason: storeText,
    /** The replacement is goodwill (RPL-11). */
    goodwill: z.literal(true),
    /** What a corrected verdict is now (RPL-10). */
    verdict: z.enum(verdicts),
    explanation: sealedFor('customer', 'explanation'),
    /** How many leads a digest counts, and the end of its hour. */
    leads: count,
    until: instant,
    token: secretFor('customer', 'link-token'),
    /** The page of the bank for a charge that the customer is to confirm. */
    confirmationLink: secretFor('customer', 'link-token'),
    expiresAt: instant,
    /** What was changed about how the account is opened, or about keys. */
    change: z.enum(accountChanges),
    /** From what somebody signed in, in words of ours. */
    device: storeText,
    /** The address to be confirmed; other mails go to the present address of the customer. */
    to: sealedFor('customer', 'email'),
    ticketId: id,
    answer: sealedFor('customer', 'answer'),
    /** The mails that an answer follows (SUP-3), the subject of the last one, and how many of their files were not taken. */
    thread: sealedFor('customer', 'message-ids'),
    subject: sealedFor('customer', 'subject'),
    attachmentsRefused: count,
  })
  .partial();
export type MailFacts = z.infer<typeof mailFacts>;

type Data = Record<string, unknown>;

/** Version 1 took any names. It had the provider's text, the reason of a return and the explanation of a denial. */
export const mailWishUpcasters = {
  MailWished: [
    ({ facts, ...data }: Data): Data => {
      const { reason, explanation, ...others } = facts as Data;
      return {
        ...data,
        facts: {
          ...others,
          ...(reason !== undefined && namedReason(data.kind, String(reason))),
          ...(explanation !== undefined && { explanation: unsealed(explanation, 'explanation') }),
        },
      };
    },
  ],
};

const namedReason = (kind: unknown, reason: string): MailFacts =>
  kind === 'payment-declined' ? { declineReason: codeIn(reason) } : { returnReason: reason };
