import { type Fact, type FactOf, idOf } from '#domain/codec';
import { DueList } from '#domain/kernel/due-list';
import type { Instant } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import { addDays, addSeconds, earliest, HOUR_MILLISECONDS, toInstant } from '#domain/kernel/instants';
import type { EventTypeName } from '#domain/ledger';
import type { MailKind } from '#domain/notifications/kinds';
import { mailIdOf, mailStream } from '#domain/notifications/mail';
import type { MailFacts } from '#domain/notifications/mail-facts';
import { MailAttempts } from './mail-attempts.ts';
import { announcedFacts, MailedOrders, renewalFacts, renewedFacts, skippedFacts } from './mailed-orders.ts';
import { type CommandWish, defineProcess, takeFrom } from './process.ts';
import { staffInvitation } from './staff-mails.ts';

/** The mail that events of one type cause. */
interface MailRule<Type extends EventTypeName> {
  readonly kind: MailKind;
  readonly customerId: (fact: FactOf<Type>, orders: MailedOrders) => string | undefined;
  /** Undefined: this event causes no mail. */
  readonly facts: (fact: FactOf<Type>, orders: MailedOrders) => MailFacts | undefined;
}

const customerOfOrder = (fact: Fact, orders: MailedOrders): string | undefined =>
  orders.get(idOf(fact.stream))?.data.customerId;
const customerInEvent = ({ data }: { data: { customerId: string } }): string => data.customerId;
const orderFacts = (fact: Fact, orders: MailedOrders): MailFacts => {
  const orderId = idOf(fact.stream);
  const placed = orders.get(orderId)?.data;
  if (!placed) return { orderId };
  const { storeId, leadTypeId, statementDescriptor, timeZone } = placed;
  return { orderId, storeId, leadTypeId, statementDescriptor, timeZone };
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

type MailRules = { readonly [Type in EventTypeName]?: MailRule<Type> };

/** Event → mail (NTF-1). Delivered leads are not here: one mail an hour lists them. */
const mails = {
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
  StaffMemberInvited: staffInvitation,
  PasswordRecoveryRequested: {
    kind: 'password-recovery',
    customerId: ({ stream }) => idOf(stream),
    facts: ({ data: { token, expiresAt } }) => ({ token, expiresAt }),
  },
  EmailChangeRequested: {
    kind: 'address-change',
    customerId: ({ stream }) => idOf(stream),
    facts: ({ data: { token, expiresAt, email } }) => ({ token, expiresAt, to: email }),
  },
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

const ruleTypes = Object.keys(mails) as (keyof typeof mails)[];

interface Mail {
  readonly mailId: string;
  readonly kind: MailKind;
  readonly customerId: string;
  readonly facts: MailFacts;
  readonly because: Fact;
}

/** The leads that an order received within one hour, for one mail. */
interface Digest {
  readonly mailId: string;
  readonly leads: FactOf<'LeadDelivered'>[];
  readonly until: Instant;
  /** Too many were due at once: it was put off. */
  readonly isPutOff?: true;
}

/** Digests are due at full hours. So many are requested at once, and the others so many seconds apart. */
const DIGESTS_AT_ONCE = 50;
const SECONDS_BETWEEN_DIGESTS = 15;

interface Mailing {
  readonly orders: MailedOrders;
  /** Customers who want a mail for each lead. */
  readonly each: Set<string>;
  /** Mails to request. */
  readonly toWish: Map<string, Mail>;
  /** Mails that are to be sent: they were wished. */
  readonly attempts: MailAttempts;
  /** Digests whose mail is not wished yet, due at the end of their hour. */
  readonly digests: DueList<Digest>;
  /** Order → the end of its last digest. */
  readonly digestedUntil: Map<string, Instant>;
}

/** Requests the mails that events cause, sends them, and records the results (NTF-3). */
export const mailing = defineProcess({
  name: 'mailing',
  eventTypes: [
    ...ruleTypes,
    'OrderTimeZoneCorrected',
    'RenewalPaid',
    'ProgrammeActivated',
    'LeadDelivered',
    'LeadDeliveryChosen',
    'MailWished',
    'MailSent',
    'MailRefused',
    'MailWithheld',
    'MailFailed',
    'MailGivenUp',
    'MailRetried',
  ],
  initialState: (): Mailing => ({
    orders: new MailedOrders(),
    each: new Set(),
    toWish: new Map(),
    attempts: new MailAttempts(),
    digests: new DueList(),
    digestedUntil: new Map(),
  }),

  evolve(state, fact) {
    switch (fact.type) {
      case 'LeadDelivered':
        noteLead(state, fact);
        break;
      case 'LeadDeliveryChosen':
        if (fact.data.mails === 'each') state.each.add(idOf(fact.stream));
        else state.each.delete(idOf(fact.stream));
        break;
      case 'MailWished':
        noteWish(state, fact);
        break;
      case 'MailSent':
      case 'MailWithheld':
        state.attempts.end(idOf(fact.stream));
        break;
      case 'MailRefused':
      case 'MailGivenUp':
        state.attempts.noteEnd(fact);
        break;
      case 'MailRetried':
        state.attempts.noteRetry(fact);
        break;
      case 'MailFailed':
        state.attempts.noteFailure(fact);
        break;
      default:
        state.orders.note(fact);
        put(state, mailOf(fact, state.orders));
    }
  },

  next(state, { now }, limit) {
    endDigests(state, now);
    const wishes = takeFrom(state.toWish, limit).map(([, mail]) => wishMail(mail));
    return [...wishes, ...state.attempts.takeDue(now, limit - wishes.length)];
  },

  wakeAt: ({ digests, attempts }) => earliest([digests.nextDueAt(), attempts.nextDueAt()]),
});

function put({ toWish }: Mailing, mail: Mail | undefined): void {
  if (mail) toWish.set(mail.mailId, mail);
}

function mailOf(fact: Fact, orders: MailedOrders): Mail | undefined {
  const rule = (mails as MailRules)[fact.type] as MailRule<EventTypeName> | undefined;
  const customerId = rule?.customerId(fact as never, orders);
  const facts = rule?.facts(fact as never, orders);
  if (!rule || customerId === undefined || facts === undefined) return undefined;
  return { mailId: mailIdOf(rule.kind, fact.eventId), kind: rule.kind, customerId, facts, because: fact };
}

function noteWish({ toWish, attempts, digests, digestedUntil }: Mailing, fact: FactOf<'MailWished'>): void {
  const mailId = idOf(fact.stream);
  toWish.delete(mailId);
  attempts.noteWish(fact);
  const digest = digests.get(mailId);
  if (!digest) return;
  digests.remove(mailId);
  digestedUntil.set(fact.data.facts.orderId as string, digest.until);
}

function noteLead(state: Mailing, fact: FactOf<'LeadDelivered'>): void {
  if (fact.data.replacementFor !== undefined) return;
  if (state.each.has(fact.data.customerId)) put(state, leadMail(fact, state.orders));
  else addToDigest(state, fact);
}

/** The mail's id is made from the order and the hour: it does not depend on which lead came first. */
function addToDigest({ digests, digestedUntil }: Mailing, fact: FactOf<'LeadDelivered'>): void {
  const orderId = idOf(fact.stream);
  const lastUntil = digestedUntil.get(orderId) ?? '';
  // A clock may lag behind that of another machine. The mail of that hour is wished already: the lead goes into the next.
  const isLate = fact.data.at < lastUntil;
  const until = nextFullHour(isLate ? lastUntil : fact.data.at);
  const mailId = mailIdOf('leads-delivered', `${orderId} ${until}`);
  const digest = digests.get(mailId);
  if (digest) digest.leads.push(fact);
  else digests.put(mailId, { mailId, leads: [fact], until }, until);
}

/** A digest stays until its mail is requested: until then its hour may still get leads. */
function endDigests(state: Mailing, now: Instant): void {
  const { digests } = state;
  const due = digests.take(now, Number.POSITIVE_INFINITY);
  const fresh = due.filter(({ isPutOff }) => !isPutOff);
  const later = new Map(fresh.slice(DIGESTS_AT_ONCE).map((digest, index) => [digest, index]));
  for (const digest of due) {
    const index = later.get(digest);
    if (index === undefined) {
      put(state, digestMail(digest, state.orders));
      digests.put(digest.mailId, digest);
    } else {
      const seconds = (Math.floor(index / DIGESTS_AT_ONCE) + 1) * SECONDS_BETWEEN_DIGESTS;
      digests.put(digest.mailId, { ...digest, isPutOff: true }, addSeconds(now, seconds));
    }
  }
}

const nextFullHour = (at: Instant): Instant =>
  toInstant((Math.floor(Date.parse(at) / HOUR_MILLISECONDS) + 1) * HOUR_MILLISECONDS);

const leadMail = (fact: FactOf<'LeadDelivered'>, orders: MailedOrders): Mail => ({
  mailId: mailIdOf('leads-delivered', fact.eventId),
  kind: 'leads-delivered',
  customerId: fact.data.customerId,
  facts: { ...orderFacts(fact, orders), leads: 1, leadId: fact.data.leadId },
  because: fact,
});

function digestMail({ mailId, leads, until }: Digest, orders: MailedOrders): Mail {
  const [first] = leads.toSorted((a, b) => (a.data.at + a.eventId < b.data.at + b.eventId ? -1 : 1));
  const because = first as FactOf<'LeadDelivered'>;
  return {
    mailId,
    kind: 'leads-delivered',
    customerId: because.data.customerId,
    facts: { ...orderFacts(because, orders), leads: leads.length, until },
    because,
  };
}

function wishMail({ mailId, kind, customerId, facts, because }: Mail): CommandWish {
  const { eventId, data } = because;
  return {
    commandId: deriveId('WishMail', mailId),
    stream: mailStream(mailId),
    command: { type: 'WishMail', kind, customerId, eventId, happenedAt: data.at, facts },
    because,
  };
}
