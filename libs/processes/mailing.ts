import { type Fact, type FactOf, idOf } from '#domain/codec';
import { DueList } from '#domain/kernel/due-list';
import type { Instant } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import { addSeconds, earliest, HOUR_MILLISECONDS, toInstant } from '#domain/kernel/instants';
import type { EventTypeName } from '#domain/ledger';
import type { MailKind } from '#domain/notifications/kinds';
import { mailIdOf, mailStream } from '#domain/notifications/mail';
import type { MailFacts } from '#domain/notifications/mail-facts';
import { MailAttempts } from './mail-attempts.ts';
import { type MailRule, type MailRules, mails, orderFacts, ruleTypes } from './mail-rules.ts';
import { MailedOrders } from './mailed-orders.ts';
import { type CommandWish, defineProcess, takeFrom } from './process.ts';
import { Administrators } from './staff-mails.ts';

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
  readonly administrators: Administrators;
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
    'StaffMemberAdded',
    'StaffMemberRemoved',
    'ApiKeyIssued',
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
    administrators: new Administrators(),
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
      case 'ApiKeyIssued':
        for (const memberId of state.administrators) put(state, keyMail(fact, memberId));
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
        state.administrators.note(fact);
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

const keyMail = (because: FactOf<'ApiKeyIssued'>, memberId: string): Mail => ({
  mailId: mailIdOf('account-changed', `${because.eventId} ${memberId}`),
  kind: 'account-changed',
  customerId: memberId,
  facts: { change: 'api-key-issued' },
  because,
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
