import { type Fact, type FactOf, idOf } from '#domain/codec';
import { addDays } from '#domain/kernel/instants';
import type { EventTypeName } from '#domain/ledger';
import type { MailKind } from '#domain/notifications/kinds';
import type { MailFacts } from '#domain/notifications/mail-facts';
import { announcedFacts, type MailedOrders, renewalFacts, renewedFacts, skippedFacts } from './mailed-orders.ts';
import {
  accountChanged,
  factorRemoved,
  newBrowser,
  passwordChanged,
  passwordOfCustomerChanged,
  staffInvitation,
} from './staff-mails.ts';

/** The mail that events of one type cause. */
export interface MailRule<Type extends EventTypeName> {
  readonly kind: MailKind;
  readonly customerId: (fact: FactOf<Type>, orders: MailedOrders) => string | undefined;
  /** Undefined: this event causes no mail. */
  readonly facts: (fact: FactOf<Type>, orders: MailedOrders) => MailFacts | undefined;
}

const customerOfOrder = (fact: Fact, orders: MailedOrders): string | undefined =>
  orders.get(idOf(fact.stream))?.data.customerId;
const customerInEvent = ({ data }: { data: { customerId: string } }): string => data.customerId;
export const orderFacts = (fact: Fact, orders: MailedOrders): MailFacts => {
  const orderId = idOf(fact.stream);
  const placed = orders.get(orderId)?.data;
  if (!placed) return { orderId };
  const { storeId, leadTypeId, statementDescriptor, timeZone, withoutSignIn } = placed;
  return { orderId, storeId, leadTypeId, statementDescriptor, timeZone, ...(withoutSignIn && { withoutSignIn }) };
};

function cancelledFacts(fact: FactOf<'OrderCancelled'>, orders: MailedOrders): MailFacts | undefined {
  const { undeliveredLeads, cause } = fact.data;
  if (cause) return undefined;
  const loyalty = orders.get(idOf(fact.stream))?.data.loyalty;
  return { ...orderFacts(fact, orders), undeliveredLeads, ...(loyalty && { cadenceDays: loyalty.cadenceDays }) };
}
const refundFacts = (
  fact: FactOf<'PaymentRefunded' | 'RefundSettled' | 'RefundReturned'>,
  orders: MailedOrders,
): MailFacts => {
  const { amountCents: totalCents, currency, renewalNumber } = fact.data;
  return { ...orderFacts(fact, orders), totalCents, currency, ...(renewalNumber > 0 && { renewalNumber }) };
};

/** An older version issued no receipts: those that come more than a day late are listed, and not sent. */
const DAYS_A_RECEIPT_IS_NEWS = 1;

function receiptFacts(fact: FactOf<'ReceiptIssued'>): MailFacts | undefined {
  const { at, paidAt, receiptId, number: receiptNumber, kind: receiptKind, ...data } = fact.data;
  if (addDays(paidAt, DAYS_A_RECEIPT_IS_NEWS) < at) return undefined;
  const { orderId, leadTypeId, amountCents, currency } = data;
  const totalCents = Math.abs(amountCents);
  const order = { orderId, storeId: idOf(fact.stream), leadTypeId };
  return { ...order, receiptId, receiptNumber, receiptKind, totalCents, currency };
}

const returnFacts = ({
  orderId,
  leadId,
  reason,
  reasonLabel = reason,
}: FactOf<'ChargebackGranted'>['data']): MailFacts => ({ orderId, leadId, returnReason: reasonLabel });

export type MailRules = { readonly [Type in EventTypeName]?: MailRule<Type> };

/** Event → mail (NTF-1). Delivered leads are not here: one mail an hour lists them. */
export const mails = {
  OrderPlaced: {
    kind: 'order-confirmed',
    customerId: customerInEvent,
    facts: (fact, orders) => ({
      ...orderFacts(fact, orders),
      quantity: fact.data.quantity,
      bonusLeads: fact.data.bonusLeads,
      totalCents: fact.data.totalCents,
      currency: fact.data.currency,
      ...renewalFacts(fact),
    }),
  },
  OrderCancelled: { kind: 'order-cancelled', customerId: customerOfOrder, facts: cancelledFacts },
  PaymentDeclined: {
    kind: 'payment-declined',
    customerId: customerOfOrder,
    facts: (fact, orders) => ({ ...orderFacts(fact, orders), declineReason: fact.data.reason }),
  },
  RenewalDeclined: {
    kind: 'payment-declined',
    customerId: customerInEvent,
    facts: (fact, orders) => {
      const { reason: declineReason, renewalNumber, retryAt } = fact.data;
      return { ...orderFacts(fact, orders), declineReason, renewalNumber, ...(retryAt !== undefined && { retryAt }) };
    },
  },
  PaymentRefunded: { kind: 'refund-made', customerId: customerOfOrder, facts: refundFacts },
  RefundSettled: { kind: 'refund-made', customerId: customerOfOrder, facts: refundFacts },
  RefundReturned: { kind: 'refund-returned', customerId: customerOfOrder, facts: refundFacts },
  ReceiptIssued: { kind: 'receipt-issued', customerId: customerInEvent, facts: receiptFacts },
  RenewalConfirmationRequested: {
    kind: 'payment-to-confirm',
    customerId: customerInEvent,
    facts: (fact, orders) => {
      const { renewalNumber, link: confirmationLink, until } = fact.data;
      return { ...orderFacts(fact, orders), renewalNumber, confirmationLink, until };
    },
  },
  OrderRestarted: {
    kind: 'order-restarted',
    customerId: customerOfOrder,
    facts: (fact, orders) => (fact.cause.actor.startsWith('process:') ? orderFacts(fact, orders) : undefined),
  },
  RenewalAnnounced: {
    kind: 'renewal-coming',
    customerId: customerInEvent,
    facts: (fact, orders) => ({
      ...orderFacts(fact, orders),
      ...announcedFacts(fact, orders),
      dueAt: fact.data.dueAt,
    }),
  },
  OrderReopened: {
    kind: 'renewal-done',
    customerId: customerOfOrder,
    facts: (fact, orders) => ({ ...orderFacts(fact, orders), ...renewedFacts(fact, orders) }),
  },
  RenewalSkipped: {
    kind: 'renewal-skipped',
    customerId: customerInEvent,
    facts: (fact, orders) => {
      const skipped = skippedFacts(fact, orders);
      return skipped && { ...orderFacts(fact, orders), ...skipped };
    },
  },
  ProgrammeHeld: {
    kind: 'programme-held',
    customerId: customerInEvent,
    facts: (fact, orders) => ({ ...orderFacts(fact, orders), cause: fact.data.cause }),
  },
  ProgrammeCancelled: {
    kind: 'programme-cancelled',
    customerId: customerOfOrder,
    // The end of an order ends its programme, too, and has a mail of its own.
    facts: (fact, orders) => (fact.data.cause === 'customer' ? orderFacts(fact, orders) : undefined),
  },
  ChargebackGranted: {
    kind: 'chargeback-granted',
    customerId: ({ data }, orders) => orders.get(data.orderId)?.data.customerId,
    facts: ({ data }) => returnFacts(data),
  },
  GoodwillGranted: {
    kind: 'chargeback-granted',
    customerId: customerInEvent,
    facts: ({ data }) => ({ ...returnFacts(data), goodwill: true }),
  },
  VerdictCorrected: {
    kind: 'verdict-corrected',
    customerId: customerInEvent,
    facts: ({ data }) => ({
      ...returnFacts(data),
      verdict: data.verdict,
      ...(data.explanation && { explanation: data.explanation }),
    }),
  },
  ChargebackDenied: {
    kind: 'chargeback-denied',
    customerId: ({ data }, orders) => orders.get(data.orderId)?.data.customerId,
    facts: ({ data }) => ({ orderId: data.orderId, leadId: data.leadId, explanation: data.explanation }),
  },
  ReplacementDelivered: {
    kind: 'replacement-delivered',
    customerId: ({ data }, orders) => orders.get(data.orderId)?.data.customerId,
    facts: ({ data }) => ({ orderId: data.orderId, leadId: data.replacementLeadId }),
  },
  ContactSuppressed: {
    kind: 'person-suppressed',
    customerId: ({ stream }) => idOf(stream),
    facts: ({ data: { leadId, orderId, suppression, isListed } }) =>
      isListed ? { leadId, orderId, suppression } : undefined,
  },
  PasswordRecoveryRequested: {
    kind: 'password-recovery',
    customerId: ({ stream }) => idOf(stream),
    facts: ({ data: { token, expiresAt } }) => ({ token, expiresAt }),
  },
  AddressConfirmationRequested: {
    kind: 'address-confirmation',
    customerId: ({ stream }) => idOf(stream),
    facts: ({ data: { token, expiresAt } }) => ({ token, expiresAt }),
  },
  EmailChanged: {
    kind: 'address-changed',
    customerId: ({ stream }) => idOf(stream),
    facts: ({ data: { formerEmail } }) => formerEmail && { to: formerEmail },
  },
  HolderWarned: { kind: 'account-exists', customerId: customerInEvent, facts: () => ({}) },
  EmailChangeRequested: {
    kind: 'address-change',
    customerId: ({ stream }) => idOf(stream),
    facts: ({ data: { token, expiresAt, email } }) => ({ token, expiresAt, to: email }),
  },
  StaffMemberInvited: staffInvitation,
  StaffPasswordSet: passwordChanged,
  PasswordSet: passwordOfCustomerChanged,
  NewBrowserSignedIn: newBrowser,
  SessionsEnded: accountChanged('sessions-ended'),
  StaffRolesChanged: accountChanged('roles-changed'),
  TotpAdded: accountChanged('factor-added'),
  PasskeyAdded: accountChanged('passkey-added'),
  FactorRemoved: factorRemoved,
  FactorsReset: accountChanged('factors-reset'),
  RecoveryCodesIssued: accountChanged('recovery-codes-issued'),
  RecoveryCodeUsed: accountChanged('recovery-code-used'),
  TicketAnswered: {
    kind: 'ticket-answered',
    customerId: customerInEvent,
    facts: ({ stream, data: { answer, storeId, answerTo, letter } }) => ({
      ticketId: idOf(stream),
      answer,
      ...(answerTo && { to: answerTo, storeId }),
      ...letter,
    }),
  },
} satisfies MailRules;

export const ruleTypes = Object.keys(mails) as (keyof typeof mails)[];
