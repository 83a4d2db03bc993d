import { DAY } from './books.ts';
import type { RawEvent } from './raw-log.ts';

/** A mail is tried for five days, and its result is recorded within another. */
const DAYS_WITHOUT_RESULT = 6;

type OnceLaw = 'couponUsedTwice' | 'mailMissing' | 'mailTwice';

const ends: ReadonlySet<string> = new Set(['MailSent', 'MailRefused', 'MailWithheld']);

/** Checks what may happen only once: the use of a coupon by a customer, and a mail about an event. Shares no code with the deciders. */
export class OnceCheck {
  readonly #coupons = new Map<string, { limit: number; readonly users: Set<string> }>();
  readonly #mailedAbout = new Set<string>();
  readonly #mails = new Map<string, { readonly wish: RawEvent; ended: boolean }>();
  #now = 0;

  /** Must receive all events in the order of the log. @returns the laws that this event breaks */
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
      case 'CouponReturned':
        this.#coupons.get(id)?.users.delete(data.customerId);
        return [];
      case 'MailWished':
        return this.#wish(event) ? [] : ['mailTwice'];
      default:
        return ends.has(type) && !this.#end(id) ? ['mailTwice'] : [];
    }
  }

  /**
   * Call it at the end of the log. @returns mails that have had no result for longer than they are tried, by the log's own
   * clock
   */
  unsent(): readonly RawEvent[] {
    return [...this.#mails.values()]
      .filter(({ wish, ended }) => !ended && Date.parse(wish.data.at) <= this.#now - DAYS_WITHOUT_RESULT * DAY)
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
    if (this.#mails.has(id) || this.#mailedAbout.has(about)) return false;
    this.#mailedAbout.add(about);
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
