import { type FactOf, idOf } from '#domain/codec';
import { DueList } from '#domain/kernel/due-list';
import type { Instant } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import { mailStream } from '#domain/notifications/mail';
import type { FailedTries } from '#domain/notifications/mail-retries';
import type { EffectWish } from './process.ts';

interface Attempt {
  readonly wished: FactOf<'MailWished'>;
  readonly failed: FailedTries | undefined;
  /** The last time that it was sent again by hand, and the attempts that had failed until then. */
  readonly retried?: { readonly eventId: string; readonly attemptsBefore: number };
}

/**
 * Mails without a result, each until its next attempt (NTF-4). A mail under way is not scheduled, nor is one that was refused or
 * given up: it may be sent again by hand.
 */
export class MailAttempts {
  readonly #list = new DueList<Attempt>();

  noteWish(wished: FactOf<'MailWished'>): void {
    this.#list.put(idOf(wished.stream), { wished, failed: undefined }, wished.data.at, wished.data.at);
  }

  noteFailure({ stream, data }: FactOf<'MailFailed'>): void {
    const mailId = idOf(stream);
    const attempt = this.#list.get(mailId);
    if (!attempt) return;
    this.#list.put(mailId, { ...attempt, failed: triesWith(attempt, data) }, data.retryAt, data.at);
  }

  noteEnd({ stream, type, data }: FactOf<'MailRefused' | 'MailGivenUp'>): void {
    const mailId = idOf(stream);
    const attempt = this.#list.get(mailId);
    if (!attempt) return;
    const failed = type === 'MailGivenUp' ? triesWith(attempt, data) : attempt.failed;
    this.#list.put(mailId, { ...attempt, failed });
  }

  /** Its schedule begins anew. */
  noteRetry({ stream, eventId, data }: FactOf<'MailRetried'>): void {
    const mailId = idOf(stream);
    const attempt = this.#list.get(mailId);
    if (!attempt) return;
    const attemptsBefore = (attempt.retried?.attemptsBefore ?? 0) + (attempt.failed?.attempts ?? 0);
    this.#list.put(mailId, { ...attempt, failed: undefined, retried: { eventId, attemptsBefore } }, data.at, data.at);
  }

  end(mailId: string): void {
    this.#list.remove(mailId);
  }

  takeDue(now: Instant, limit: number): EffectWish[] {
    return this.#list.take(now, limit).map((attempt) => {
      this.#list.put(idOf(attempt.wished.stream), attempt);
      return mailToSend(attempt);
    });
  }

  nextDueAt(): Instant | undefined {
    return this.#list.nextDueAt();
  }
}

type Failure = FactOf<'MailFailed' | 'MailGivenUp'>['data'];

function triesWith({ failed, retried }: Attempt, { attempt, failure, at }: Failure): FailedTries {
  const { unconfirmed = 0, since = at } = failed ?? {};
  const attempts = attempt - (retried?.attemptsBefore ?? 0);
  return { attempts, unconfirmed: unconfirmed + (failure === 'not-confirmed' ? 1 : 0), since };
}

/** All attempts of a mail are one wish, until it is sent again by hand: an engine counts them together. */
function mailToSend({ wished: because, failed, retried }: Attempt): EffectWish {
  const mailId = idOf(because.stream);
  const { at: wishedAt, eventId: _, ...mail } = because.data;
  const earlier = { ...(failed && { failed }), ...(retried && { attemptsBefore: retried.attemptsBefore }) };
  return {
    commandId: deriveId('SendMail', mailId, ...(retried ? [retried.eventId] : [])),
    stream: mailStream(mailId),
    effect: { kind: 'send-mail', mailId, mail, wishedAt, ...earlier },
    because,
  };
}
