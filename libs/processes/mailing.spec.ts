import type { EventTypeName } from '#domain/ledger';
import { mailing } from './mailing.ts';
import type { CommandWish, EffectWish } from './process.ts';

const AT = '2026-05-01T10:20:00.000Z';
const LATER = '2026-05-01T11:00:00.000Z';
const placed = {
  customerId: 'c1',
  storeId: 'main',
  leadTypeId: 't',
  statementDescriptor: 'LEADGER',
  quantity: 10,
  bonusLeads: 0,
  totalCents: 1000,
  currency: 'USD',
};
const delivered = (leadId: string) => ({ leadId, customerId: 'c1' });

function driveMailing() {
  const state = mailing.initialState();
  let folded = 0;
  const fold = (stream: string, type: EventTypeName, data: object, actor = 'customer:c1') => {
    folded += 1;
    const fact = { type, stream, eventId: `event ${folded}`, revision: 0, position: String(folded), cause: { actor } };
    mailing.evolve(state, { ...fact, data: { at: AT, ...data } } as never);
  };
  const wishesAt = (now: string) => mailing.next(state, { now, eventsSeen: 9, runs: () => true }, 100);
  return {
    fold,
    wishesAt,
    commandsAt: (now: string) => (wishesAt(now) as CommandWish[]).map(({ command }) => command),
    /** Folds the event that the ledger would record for a wish. */
    wished: (wish: CommandWish) => fold(wish.stream, 'MailWished', wish.command),
    wakesAt: () => mailing.wakeAt?.(state),
  };
}

describe('mails', () => {
  it('NTF-1: an event causes one mail, and a wished mail is sent', () => {
    const { fold, wishesAt, wished } = driveMailing();
    fold('order-o1', 'OrderPlaced', placed);
    const [wish, ...more] = wishesAt(AT) as CommandWish[];
    expect(more).toEqual([]);
    expect(wish?.command).toMatchObject({
      type: 'WishMail',
      kind: 'order-confirmed',
      customerId: 'c1',
      eventId: 'event 1',
    });
    expect(wishesAt(AT)).toEqual([]);
    wished(wish as CommandWish);
    const [sending] = wishesAt(AT) as EffectWish[];
    expect(sending).toMatchObject({
      stream: wish?.stream,
      effect: { kind: 'send-mail', mail: { kind: 'order-confirmed' } },
    });
    fold(wish?.stream as string, 'MailSent', {});
    expect(wishesAt(AT)).toEqual([]);
  });

  it('NTF-3: a mail sent before a restart is not wished again', () => {
    const first = driveMailing();
    first.fold('order-o1', 'OrderPlaced', placed);
    const [wish] = first.wishesAt(AT) as CommandWish[];
    const again = driveMailing();
    again.fold('order-o1', 'OrderPlaced', placed);
    again.wished(wish as CommandWish);
    again.fold(wish?.stream as string, 'MailSent', {});
    expect(again.wishesAt(LATER)).toEqual([]);
  });

  it('NTF-1: the leads of one hour are in one mail', () => {
    const { fold, wishesAt, commandsAt, wakesAt } = driveMailing();
    fold('order-o1', 'OrderPlaced', placed);
    wishesAt(AT);
    for (const leadId of ['l1', 'l2', 'l3']) fold('order-o1', 'LeadDelivered', delivered(leadId));
    expect(wishesAt(AT)).toEqual([]);
    expect(wakesAt()).toBe(LATER);
    expect(commandsAt(LATER)).toMatchObject([{ kind: 'leads-delivered', facts: { orderId: 'o1', leads: 3 } }]);
  });

  it('NTF-1: leads of the next hour, or from a clock that lags behind, are in the next mail', () => {
    const { fold, wishesAt, commandsAt, wished } = driveMailing();
    fold('order-o1', 'LeadDelivered', delivered('l1'));
    const [wish] = wishesAt(LATER) as CommandWish[];
    fold('order-o1', 'LeadDelivered', { ...delivered('l2'), at: LATER });
    wished(wish as CommandWish);
    fold(wish?.stream as string, 'MailSent', {});
    fold('order-o1', 'LeadDelivered', delivered('l3'));
    expect(wishesAt(LATER)).toEqual([]);
    const later = commandsAt('2026-05-01T12:00:00.000Z');
    expect(later).toMatchObject([{ kind: 'leads-delivered', facts: { leads: 2 } }]);
  });

  it('NTF-3: the contents of a mail do not depend on the order of its leads in the log', () => {
    const [one, other] = [driveMailing(), driveMailing()];
    const leads = ['l1', 'l2', 'l3'].map((leadId, number) => [leadId, `2026-05-01T10:20:0${number}.000Z`] as const);
    for (const [leadId, at] of leads) one.fold('order-o1', 'LeadDelivered', { ...delivered(leadId), at });
    for (const [leadId, at] of leads.toReversed())
      other.fold('order-o1', 'LeadDelivered', { ...delivered(leadId), at });
    const [first, second] = [one.wishesAt(LATER), other.wishesAt(LATER)] as [CommandWish[], CommandWish[]];
    expect(first[0]?.stream).toBe(second[0]?.stream);
    expect(first[0]?.command).toMatchObject({ happenedAt: '2026-05-01T10:20:00.000Z', facts: { leads: 3 } });
    expect(second[0]?.command).toMatchObject({ happenedAt: '2026-05-01T10:20:00.000Z', facts: { leads: 3 } });
  });

  it('NTF-1: digests of many orders, due at one full hour, are spread over the minutes after it, and each is requested once', () => {
    const { fold, wishesAt, wakesAt } = driveMailing();
    const orders = Array.from({ length: 180 }, (_, index) => `o${index}`);
    for (const id of orders) fold(`order-${id}`, 'LeadDelivered', delivered('l1'));
    const requested: unknown[] = [];
    const sizes: number[] = [];
    for (let now = LATER; now <= '2026-05-01T11:05:00.000Z'; now = wakesAt() ?? 'never') {
      const wishes = wishesAt(now) as CommandWish[];
      expect(wishesAt(now)).toEqual([]);
      sizes.push(wishes.length);
      for (const wish of wishes) {
        requested.push((wish.command as { facts?: { orderId?: string } }).facts?.orderId);
        fold(wish.stream, 'MailWished', { ...wish.command, at: now });
        fold(wish.stream, 'MailSent', {});
      }
    }
    expect(sizes).toEqual([50, 50, 50, 30]);
    expect(requested.toSorted()).toEqual(orders.toSorted());
  });

  it('NTF-4: a mail that failed is sent again when it is time, and knows how often and since when it failed', () => {
    const { fold, wishesAt, wished, wakesAt } = driveMailing();
    fold('order-o1', 'OrderPlaced', placed);
    const [wish] = wishesAt(AT) as CommandWish[];
    wished(wish as CommandWish);
    const [first] = wishesAt(AT) as EffectWish[];
    fold(wish?.stream as string, 'MailFailed', { attempt: 1, failure: 'not-confirmed', retryAt: LATER });
    expect([wishesAt(AT), wakesAt()]).toEqual([[], LATER]);
    const [second] = wishesAt(LATER) as EffectWish[];
    expect(second).toMatchObject({
      commandId: first?.commandId,
      effect: { kind: 'send-mail', failed: { attempts: 1, unconfirmed: 1, since: AT } },
    });
    fold(wish?.stream as string, 'MailGivenUp', { attempt: 2, failure: 'no-answer' });
    expect([wishesAt('2026-06-01T00:00:00.000Z'), wakesAt()]).toEqual([[], undefined]);
  });

  it('NTF-4: a mail that was given up is sent again by hand only, as a new wish whose attempts begin anew', () => {
    const { fold, wishesAt, wished } = driveMailing();
    fold('order-o1', 'OrderPlaced', placed);
    const [wish] = wishesAt(AT) as CommandWish[];
    wished(wish as CommandWish);
    const [first] = wishesAt(AT) as EffectWish[];
    const stream = wish?.stream as string;
    fold(stream, 'MailFailed', { attempt: 1, failure: 'not-confirmed', retryAt: LATER });
    fold(stream, 'MailGivenUp', { attempt: 2, failure: 'no-answer' });
    fold(stream, 'MailRetried', { at: LATER });
    const [again] = wishesAt(LATER) as EffectWish[];
    expect(again?.commandId).not.toBe(first?.commandId);
    expect(again?.effect).toMatchObject({ kind: 'send-mail', attemptsBefore: 2 });
    expect(again?.effect).not.toHaveProperty('failed');
    fold(stream, 'MailFailed', { at: LATER, attempt: 3, failure: 'no-answer', retryAt: LATER });
    const [last] = wishesAt(LATER) as EffectWish[];
    expect(last).toMatchObject({
      commandId: again?.commandId,
      effect: { attemptsBefore: 2, failed: { attempts: 1, unconfirmed: 0, since: LATER } },
    });
  });

  it('DLV-9: a customer who wants a mail for each lead gets it at once', () => {
    const { fold, commandsAt } = driveMailing();
    fold('customer-c1', 'LeadDeliveryChosen', { mails: 'each' });
    fold('order-o1', 'LeadDelivered', delivered('l1'));
    fold('order-o1', 'LeadDelivered', delivered('l2'));
    expect(commandsAt(AT)).toMatchObject([{ facts: { leadId: 'l1' } }, { facts: { leadId: 'l2' } }]);
  });

  it('NTF-1: an automatic restart causes a mail, a restart that the customer asked for does not', () => {
    const { fold, wishesAt, commandsAt } = driveMailing();
    fold('order-o1', 'OrderPlaced', placed);
    wishesAt(AT);
    fold('order-o1', 'OrderRestarted', {}, 'customer:c1');
    expect(wishesAt(AT)).toEqual([]);
    fold('order-o1', 'OrderRestarted', { automatic: true }, 'process:auto-restart');
    expect(commandsAt(AT)).toMatchObject([{ kind: 'order-restarted', customerId: 'c1' }]);
  });
});
