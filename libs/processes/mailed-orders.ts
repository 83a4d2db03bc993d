import { type Fact, type FactOf, idOf } from '#domain/codec';
import type { Instant } from '#domain/kernel/events';
import { addDays } from '#domain/kernel/instants';
import type { MailFacts } from '#domain/notifications/mail-facts';
import { totalCentsOf } from '#domain/orders/total';

/** Order → how it was placed: customer, store and lead type, which not every event of its stream has. */
export class MailedOrders extends Map<string, FactOf<'OrderPlaced'>> {
  /** Order → when it renews next. It is told with the renewal before. */
  readonly #renewsAt = new Map<string, Instant>();
  /** Orders whose programmes are held or cancelled, also while a charge is under way. */
  readonly #stopped = new Set<string>();

  note(fact: Fact): void {
    const orderId = idOf(fact.stream);
    if (fact.type === 'OrderPlaced') this.set(orderId, fact);
    if (fact.type === 'OrderTimeZoneCorrected') this.#correctTimeZone(orderId, fact.data.timeZone);
    if (fact.type === 'RenewalPaid') this.#renewsAt.set(orderId, fact.data.nextDueAt);
    if (fact.type === 'ProgrammeHeld' || fact.type === 'ProgrammeCancelled') this.#stopped.add(orderId);
    if (fact.type === 'ProgrammeActivated') this.#stopped.delete(orderId);
  }

  #correctTimeZone(orderId: string, timeZone: string): void {
    const placed = this.get(orderId);
    if (placed) this.set(orderId, { ...placed, data: { ...placed.data, timeZone } });
  }

  /** Undefined: it does not renew by itself now. */
  renewsAt(orderId: string): Instant | undefined {
    return this.#stopped.has(orderId) ? undefined : this.#renewsAt.get(orderId);
  }
}

const renewalTotalOf = ({ data: { quantity, pricePerLeadCents } }: FactOf<'OrderPlaced'>): number =>
  totalCentsOf({ quantity, pricePerLeadCents });

/** When and for how much an order renews (NTF-5), where it does. */
export function renewalFacts(placed: FactOf<'OrderPlaced'>): MailFacts {
  const { at, renewalsCountedFrom = at, loyalty } = placed.data;
  if (!loyalty) return {};
  const { cadenceDays } = loyalty;
  const renewsAt = addDays(renewalsCountedFrom, cadenceDays);
  return { cadenceDays, renewsAt, renewalTotalCents: renewalTotalOf(placed) };
}

export function announcedFacts(fact: FactOf<'RenewalAnnounced'>, orders: MailedOrders): MailFacts {
  const placed = orders.get(idOf(fact.stream));
  if (!placed) return {};
  const { quantity, currency } = placed.data;
  return { quantity, totalCents: renewalTotalOf(placed), currency };
}

/** What was renewed, and when and for how much it renews next. */
export function renewedFacts({ stream, data }: FactOf<'OrderReopened'>, orders: MailedOrders): MailFacts {
  const { renewalNumber, quantity, bonusLeads, totalCents, currency } = data;
  const [placed, renewsAt] = [orders.get(idOf(stream)), orders.renewsAt(idOf(stream))];
  const next = placed && renewsAt !== undefined && { renewsAt, renewalTotalCents: renewalTotalOf(placed) };
  return { renewalNumber, quantity, bonusLeads, totalCents, currency, ...next };
}

/** LOY-10: one mail for an operator's word. Of the dates before it, the newest waited for the word. */
export function skippedFacts({ stream, data }: FactOf<'RenewalSkipped'>, orders: MailedOrders): MailFacts | undefined {
  const { at, dueAt, nextDueAt, renewalNumber } = data;
  const placed = orders.get(idOf(stream));
  if (!placed || nextDueAt <= at) return undefined;
  const next = { renewsAt: nextDueAt, renewalTotalCents: renewalTotalOf(placed), currency: placed.data.currency };
  return { renewalNumber, dueAt, ...next };
}
