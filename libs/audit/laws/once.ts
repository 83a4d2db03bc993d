import { DAY } from './books.ts';
import type { RawEvent } from './raw-log.ts';

/** NTF-4: from the first attempt that failed. */
const DAYS_A_MAIL_IS_TRIED = 5;
/** A mail has its first result within them, too, and the last one is recorded within another day. */
const DAYS_WITHOUT_RESULT = DAYS_A_MAIL_IS_TRIED + 1;
/** A mail that failed is tried again at the instant that its event names, or a day later. */
const DAYS_LATE = 1;

type OnceLaw = 'couponUsedTwice' | 'mailMissing' | 'mailTwice';

const ends: ReadonlySet<string> = new Set(['MailSent', 'MailRefused', 'MailWithheld', 'MailGivenUp']);

interface MailSeen {
  readonly wish: RawEvent;
  /** When it was wished, or sent again by hand. */
  since: number;
  /** How it ended. */
  end?: string | undefined;
  /** The first attempt that failed. */
  failingSince?: number | undefined;
  retryAt?: number | undefined;
}

/** Checks what may happen only once: the use of a coupon by a customer, and a mail about an event. Shares no code with the deciders. */
export class OnceCheck {
  readonly #coupons = new Map<string, { limit: number; readonly users: Set<string> }>();
  readonly #mailedAbout = new Set<string>();
  readonly #mails = new Map<string, MailSeen>();

  /** Must receive all events in the order of the log. @returns the laws that this event breaks */
  take(event: RawEvent): readonly OnceLaw[] {
    const at = Date.parse(event.data.at);
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
      case 'MailFailed':
        return this.#fail(event, at) ? [] : ['mailTwice'];
      case 'MailRetried':
        return this.#retry(id, at) ? [] : ['mailTwice'];
      default:
        return ends.has(type) ? this.#end(event, at) : [];
    }
  }

  /**
   * Call it at the end of the log. @returns mails that have had no result for longer than they are tried, or were not tried
   * again when it was time, by the log's own clock
   */
  unsent(now: number): readonly RawEvent[] {
    return [...this.#mails.values()].filter((mail) => !mail.end && this.#isLate(mail, now)).map(({ wish }) => wish);
  }

  #isLate({ since, failingSince = since, retryAt }: MailSeen, now: number): boolean {
    const isForgotten = retryAt !== undefined && retryAt <= now - DAYS_LATE * DAY;
    return isForgotten || failingSince <= now - DAYS_WITHOUT_RESULT * DAY;
  }

  #use(code: string, customerId: string): boolean {
    const coupon = this.#coupons.get(code);
    if (!coupon || coupon.users.has(customerId) || coupon.users.size >= coupon.limit) return false;
    coupon.users.add(customerId);
    return true;
  }

  #wish(event: RawEvent): boolean {
    const { id, data } = event;
    // An event may be told to several, each once.
    const about = `${data.kind} ${data.eventId} ${data.customerId}`;
    if (this.#mails.has(id) || this.#mailedAbout.has(about)) return false;
    this.#mailedAbout.add(about);
    this.#mails.set(id, { wish: event, since: Date.parse(data.at) });
    return true;
  }

  #fail({ id, data }: RawEvent, at: number): boolean {
    const mail = this.#mails.get(id);
    if (!mail || mail.end) return false;
    mail.failingSince ??= at;
    mail.retryAt = Date.parse(data.retryAt);
    return true;
  }

  /** Only what was not sent is sent again. */
  #retry(id: string, since: number): boolean {
    const mail = this.#mails.get(id);
    if (mail?.end !== 'MailRefused' && mail?.end !== 'MailGivenUp') return false;
    this.#mails.set(id, { wish: mail.wish, since });
    return true;
  }

  #end({ id, type }: RawEvent, at: number): readonly OnceLaw[] {
    const mail = this.#mails.get(id);
    if (!mail || mail.end) return ['mailTwice'];
    mail.end = type;
    const isTooEarly = at < (mail.failingSince ?? Number.POSITIVE_INFINITY) + DAYS_A_MAIL_IS_TRIED * DAY;
    return type === 'MailGivenUp' && isTooEarly ? ['mailMissing'] : [];
  }
}
