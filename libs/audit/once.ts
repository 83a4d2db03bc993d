import { DAY } from './books.ts';
import type { RawEvent } from './raw-log.ts';

export type OnceLaw = 'couponUsedTwice' | 'mailMissing' | 'mailTwice';

const ends: ReadonlySet<string> = new Set(['MailSent', 'MailRefused', 'MailWithheld']);

/** What may happen once only: a coupon's use by a customer, and a mail about an event. Shares nothing with the deciders. */
export class OnceCheck {
  readonly #coupons = new Map<string, { limit: number; readonly users: Set<string> }>();
  readonly #told = new Set<string>();
  readonly #mails = new Map<string, { readonly wish: RawEvent; ended: boolean }>();
  #now = 0;

  /** Takes the events of the log in their order. @returns the laws that this one breaks */
  take(event: RawEvent): readonly OnceLaw[] {
    const at = Date.parse(event.data.at);
    if (at > this.#now) this.#now = at;
    const { id, type, data } = event;
    switch (type) {
      case 'CouponDefined':
      case 'AlternativeCouponGiven':
        this.#coupons.set(id, { limit: data.totalLimit ?? Number.POSITIVE_INFINITY, users: new Set() });
        return [];
      case 'CouponUsed':
        return this.#use(id, data.customerId) ? [] : ['couponUsedTwice'];
      case 'MailWished':
        return this.#wish(event) ? [] : ['mailTwice'];
      default:
        return ends.has(type) && !this.#end(id) ? ['mailTwice'] : [];
    }
  }

  /**
   * To be called at the end of the log: wishes of which it says nothing more, a day later by its own clock. A mail server
   * that is away for a day is a finding, too: somebody ought to look.
   */
  unsent(): readonly RawEvent[] {
    return [...this.#mails.values()]
      .filter(({ wish, ended }) => !ended && Date.parse(wish.data.at) <= this.#now - DAY)
      .map(({ wish }) => wish);
  }

  #use(code: string, customerId: string): boolean {
    const coupon = this.#coupons.get(code);
    if (!coupon || coupon.users.has(customerId) || coupon.users.size >= coupon.limit) return false;
    coupon.users.add(customerId);
    return true;
  }

  #wish(event: RawEvent): boolean {
    const { id, data } = event;
    const about = `${data.kind} ${data.eventId}`;
    if (this.#mails.has(id) || this.#told.has(about)) return false;
    this.#told.add(about);
    this.#mails.set(id, { wish: event, ended: false });
    return true;
  }

  #end(mailId: string): boolean {
    const mail = this.#mails.get(mailId);
    if (!mail || mail.ended) return false;
    mail.ended = true;
    return true;
  }
}
