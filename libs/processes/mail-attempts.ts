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
}

/** Mails without a result, each until its next attempt (NTF-4). A mail under way is not scheduled. */
export class MailAttempts {
  readonly #list = new DueList<Attempt>();

  noteWish(wished: FactOf<'MailWished'>): void {
    this.#list.put(idOf(wished.stream), { wished, failed: undefined }, wished.data.at);
  }

  noteFailure({ stream, data }: FactOf<'MailFailed'>): void {
    const mailId = idOf(stream);
    const attempt = this.#list.get(mailId);
    if (!attempt) return;
    const { unconfirmed = 0, since = data.at } = attempt.failed ?? {};
    const isUnconfirmed = data.failure === 'not-confirmed';
    const failed = { attempts: data.attempt, unconfirmed: unconfirmed + (isUnconfirmed ? 1 : 0), since };
    this.#list.put(mailId, { ...attempt, failed }, data.retryAt);
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

/** All attempts of a mail are one wish: an engine counts them together. */
function mailToSend({ wished: because, failed }: Attempt): EffectWish {
  const mailId = idOf(because.stream);
  const { at: wishedAt, eventId: _, ...mail } = because.data;
  return {
    commandId: deriveId('SendMail', mailId),
    stream: mailStream(mailId),
    effect: { kind: 'send-mail', mailId, mail, wishedAt, ...(failed && { failed }) },
    because,
  };
}
