import { type Fact, type FactOf, idOf } from '#domain/codec';
import type { Instant } from '#domain/kernel/events';
import { type Heap, heapOf, type Placed } from '#domain/kernel/heap';
import { deriveId } from '#domain/kernel/ids';
import { toInstant } from '#domain/kernel/instants';
import type { EventTypeName } from '#domain/ledger';
import type { MailKind } from '#domain/notifications/kinds';
import { type MailFacts, mailIdOf, mailStream } from '#domain/notifications/mail';
import type { Process, Wish } from './process.ts';

/** What one event makes a mail of. */
interface Row<Type extends EventTypeName> {
  readonly kind: MailKind;
  readonly customerId: (fact: FactOf<Type>, orders: Orders) => string | undefined;
  /** Undefined: this time no mail is made of it. */
  readonly facts: (fact: FactOf<Type>, orders: Orders) => MailFacts | undefined;
}

/** Whose an order is, and of which store and lead type: events of its stream do not all say so. */
type Orders = ReadonlyMap<string, FactOf<'OrderPlaced'>>;

const ofOrder = (fact: Fact, orders: Orders): string | undefined => orders.get(idOf(fact.stream))?.data.customerId;
const order = (fact: Fact, orders: Orders): MailFacts => {
  const orderId = idOf(fact.stream);
  const placed = orders.get(orderId)?.data;
  return placed
    ? {
        orderId,
        storeId: placed.storeId,
        leadTypeId: placed.leadTypeId,
        statementDescriptor: placed.statementDescriptor,
      }
    : { orderId };
};
const said = ({ data }: { data: { customerId: string } }): string => data.customerId;

type Table = { readonly [Type in EventTypeName]?: Row<Type> };

/** Event → mail (NTF-1). Leads delivered are gathered, and told together once an hour. */
export const mails = {
  OrderPlaced: {
    kind: 'order-confirmed',
    customerId: said,
    facts: (fact, orders) => ({
      ...order(fact, orders),
      quantity: fact.data.quantity,
      bonusLeads: fact.data.bonusLeads,
      totalCents: fact.data.totalCents,
      currency: fact.data.currency,
    }),
  },
  PaymentDeclined: {
    kind: 'payment-declined',
    customerId: ofOrder,
    facts: (fact, orders) => ({ ...order(fact, orders), reason: fact.data.reason }),
  },
  RenewalDeclined: {
    kind: 'payment-declined',
    customerId: said,
    facts: (fact, orders) => {
      const { reason, renewalNumber, retryAt } = fact.data;
      return { ...order(fact, orders), reason, renewalNumber, ...(retryAt !== undefined && { retryAt }) };
    },
  },
  OrderRestarted: {
    kind: 'order-restarted',
    customerId: ofOrder,
    facts: (fact, orders) => (fact.cause.actor.startsWith('process:') ? order(fact, orders) : undefined),
  },
  RenewalAnnounced: {
    kind: 'renewal-coming',
    customerId: said,
    facts: (fact, orders) => ({ ...order(fact, orders), dueAt: fact.data.dueAt }),
  },
  OrderReopened: {
    kind: 'renewal-done',
    customerId: ofOrder,
    facts: (fact, orders) => ({
      ...order(fact, orders),
      renewalNumber: fact.data.renewalNumber,
      quantity: fact.data.quantity,
      bonusLeads: fact.data.bonusLeads,
      totalCents: fact.data.totalCents,
      currency: fact.data.currency,
    }),
  },
  ProgrammeHeld: {
    kind: 'programme-held',
    customerId: said,
    facts: (fact, orders) => ({ ...order(fact, orders), cause: fact.data.cause }),
  },
  ChargebackGranted: {
    kind: 'chargeback-granted',
    customerId: ({ data }, orders) => orders.get(data.orderId)?.data.customerId,
    facts: ({ data }) => ({ orderId: data.orderId, leadId: data.leadId, reason: data.reason }),
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
    customerId: said,
    facts: ({ stream, data: { answer } }) => ({ ticketId: idOf(stream), answer }),
  },
} satisfies Table;

const tableTypes = Object.keys(mails) as (keyof typeof mails)[];
const eventTypes = [
  ...tableTypes,
  'LeadDelivered',
  'LeadDeliveryChosen',
  'MailWished',
  'MailSent',
  'MailRefused',
  'MailWithheld',
] as const;

/** Wishes the mail that an event makes, has it sent, and knows what became of it (NTF-3). */
export const mailing: Process<Mailing, (typeof eventTypes)[number]> = {
  name: 'mailing',
  get eventTypes() {
    return eventTypes;
  },
  initialState: () => ({
    orders: new Map(),
    each: new Set(),
    due: new Map(),
    wished: new Map(),
    digests: new Map(),
    byTime: heapOf((a, b) => (a.until < b.until ? -1 : 1)),
    toldUntil: new Map(),
  }),

  evolve(state, fact) {
    const { orders, due, wished } = state;
    switch (fact.type) {
      case 'LeadDelivered':
        if (fact.data.replacementFor !== undefined) return;
        if (state.each.has(fact.data.customerId)) put(due, leadMail(fact, orders));
        else gather(state, fact);
        return;
      case 'LeadDeliveryChosen':
        if (fact.data.mails === 'each') state.each.add(idOf(fact.stream));
        else state.each.delete(idOf(fact.stream));
        return;
      case 'MailWished':
        noteWish(state, fact);
        return;
      case 'MailSent':
      case 'MailRefused':
      case 'MailWithheld':
        wished.delete(idOf(fact.stream));
        return;
      case 'OrderPlaced':
        orders.set(idOf(fact.stream), fact);
        break;
    }
    const mail = mailOf(fact, orders);
    if (mail) put(due, mail);
  },

  next(state, { now }, limit) {
    const { due, wished, byTime } = state;
    const wishes: Wish[] = [];
    for (let digest = byTime.first(); digest && digest.until <= now; digest = byTime.first()) {
      byTime.remove(digest);
      put(due, digestMail(digest, state.orders));
    }
    for (const [mailId, { because, kind, customerId, facts }] of due) {
      if (wishes.length >= limit) return wishes;
      due.delete(mailId);
      const { eventId, data } = because;
      wishes.push({
        commandId: deriveId('WishMail', mailId),
        stream: mailStream(mailId),
        command: { type: 'WishMail', kind, customerId, eventId, happenedAt: data.at, facts },
        because,
      });
    }
    for (const [mailId, fact] of wished) {
      if (wishes.length >= limit) return wishes;
      wished.delete(mailId);
      const { at: wishedAt, eventId: _, ...mail } = fact.data;
      wishes.push({
        commandId: deriveId('SendMail', mailId),
        stream: mailStream(mailId),
        effect: { kind: 'send-mail', mailId, mail, wishedAt },
        because: fact,
      });
    }
    return wishes;
  },

  wakeAt: ({ byTime }) => byTime.first()?.until,
};

interface Mail {
  readonly mailId: string;
  readonly kind: MailKind;
  readonly customerId: string;
  readonly facts: MailFacts;
  readonly because: Fact;
}

/** Leads that an order was given within an hour, and its customer not yet told of. */
interface Digest extends Placed {
  readonly mailId: string;
  readonly leads: FactOf<'LeadDelivered'>[];
  readonly until: Instant;
}

interface Mailing {
  readonly orders: Map<string, FactOf<'OrderPlaced'>>;
  /** Customers who want a mail for each lead. */
  readonly each: Set<string>;
  /** Mails that are to be wished. */
  readonly due: Map<string, Mail>;
  /** Mails that were wished, until it is known what became of them. */
  readonly wished: Map<string, FactOf<'MailWished'>>;
  readonly digests: Map<string, Digest>;
  readonly byTime: Heap<Digest>;
  /** Order → up to when its customer was told of leads. */
  readonly toldUntil: Map<string, Instant>;
}

const put = (mails: Map<string, Mail>, mail: Mail): unknown => mails.set(mail.mailId, mail);

function noteWish({ due, wished, digests, byTime, toldUntil }: Mailing, fact: FactOf<'MailWished'>): void {
  const mailId = idOf(fact.stream);
  due.delete(mailId);
  wished.set(mailId, fact);
  const digest = digests.get(mailId);
  if (!digest) return;
  digests.delete(mailId);
  if (digest.place >= 0) byTime.remove(digest);
  toldUntil.set(fact.data.facts.orderId as string, digest.until);
}

function mailOf(fact: Fact, orders: Orders): Mail | undefined {
  const row = (mails as Table)[fact.type] as Row<EventTypeName> | undefined;
  const customerId = row?.customerId(fact as never, orders);
  const facts = row?.facts(fact as never, orders);
  if (!row || customerId === undefined || facts === undefined) return undefined;
  return { mailId: mailIdOf(row.kind, fact.eventId), kind: row.kind, customerId, facts, because: fact };
}

/** All that an order is given within one hour is one mail, whose id does not depend on which lead came first. */
function gather({ digests, byTime, toldUntil }: Mailing, fact: FactOf<'LeadDelivered'>): void {
  const orderId = idOf(fact.stream);
  const told = toldUntil.get(orderId) ?? '';
  // A clock that lags behind another one's: what that hour brought is told already.
  const isLate = fact.data.at < told;
  const until = nextFullHour(isLate ? told : fact.data.at);
  const mailId = mailIdOf('leads-delivered', `${orderId} ${until}`);
  const digest = digests.get(mailId);
  if (digest) {
    digest.leads.push(fact);
    return;
  }
  const begun = { mailId, leads: [fact], until, place: -1 };
  digests.set(mailId, begun);
  byTime.put(begun);
}

const leadMail = (fact: FactOf<'LeadDelivered'>, orders: Orders): Mail => ({
  mailId: mailIdOf('leads-delivered', fact.eventId),
  kind: 'leads-delivered',
  customerId: fact.data.customerId,
  facts: { ...order(fact, orders), leads: 1, leadId: fact.data.leadId },
  because: fact,
});

const HOUR = 3_600_000;
const nextFullHour = (at: Instant): Instant => toInstant((Math.floor(Date.parse(at) / HOUR) + 1) * HOUR);

function digestMail({ mailId, leads, until }: Digest, orders: Orders): Mail {
  const [first] = leads.toSorted((a, b) => (a.data.at + a.eventId < b.data.at + b.eventId ? -1 : 1));
  const because = first as FactOf<'LeadDelivered'>;
  return {
    mailId,
    kind: 'leads-delivered',
    customerId: because.data.customerId,
    facts: { ...order(because, orders), leads: leads.length, until },
    because,
  };
}
