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

function hearing() {
  const state = mailing.initialState();
  let heard = 0;
  const hear = (stream: string, type: EventTypeName, data: object, actor = 'customer:c1') => {
    heard += 1;
    const fact = { type, stream, eventId: `event ${heard}`, revision: 0, position: String(heard), cause: { actor } };
    mailing.evolve(state, { ...fact, data: { at: AT, ...data } } as never);
  };
  const wishesAt = (now: string) => mailing.next(state, { now, position: '9', runs: () => true }, 100);
  return {
    hear,
    wishesAt,
    commandsAt: (now: string) => (wishesAt(now) as CommandWish[]).map(({ command }) => command),
    /** Folds what the ledger would have recorded of a wish. */
    wished: (wish: CommandWish) => hear(wish.stream, 'MailWished', wish.command),
    wakesAt: () => mailing.wakeAt?.(state),
  };
}

describe('mails', () => {
  it('NTF-1: an event is told of once, and what was wished is sent', () => {
    const { hear, wishesAt, wished } = hearing();
    hear('order-o1', 'OrderPlaced', placed);
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
    hear(wish?.stream as string, 'MailSent', {});
    expect(wishesAt(AT)).toEqual([]);
  });

  it('NTF-3: what was sent before a restart is not even wished again', () => {
    const first = hearing();
    first.hear('order-o1', 'OrderPlaced', placed);
    const [wish] = first.wishesAt(AT) as CommandWish[];
    const again = hearing();
    again.hear('order-o1', 'OrderPlaced', placed);
    again.wished(wish as CommandWish);
    again.hear(wish?.stream as string, 'MailSent', {});
    expect(again.wishesAt(LATER)).toEqual([]);
  });

  it('NTF-1: leads are gathered until the hour is full, and told of together', () => {
    const { hear, wishesAt, commandsAt, wakesAt } = hearing();
    hear('order-o1', 'OrderPlaced', placed);
    wishesAt(AT);
    for (const leadId of ['l1', 'l2', 'l3']) hear('order-o1', 'LeadDelivered', delivered(leadId));
    expect(wishesAt(AT)).toEqual([]);
    expect(wakesAt()).toBe(LATER);
    expect(commandsAt(LATER)).toMatchObject([{ kind: 'leads-delivered', facts: { orderId: 'o1', leads: 3 } }]);
  });

  it('NTF-1: leads of the next hour, or of a clock that lags behind, are told of in the next mail', () => {
    const { hear, wishesAt, commandsAt, wished } = hearing();
    hear('order-o1', 'LeadDelivered', delivered('l1'));
    const [wish] = wishesAt(LATER) as CommandWish[];
    hear('order-o1', 'LeadDelivered', { ...delivered('l2'), at: LATER });
    wished(wish as CommandWish);
    hear(wish?.stream as string, 'MailSent', {});
    hear('order-o1', 'LeadDelivered', delivered('l3'));
    expect(wishesAt(LATER)).toEqual([]);
    const later = commandsAt('2026-05-01T12:00:00.000Z');
    expect(later).toMatchObject([{ kind: 'leads-delivered', facts: { leads: 2 } }]);
  });

  it('NTF-3: what one mail tells of does not depend on the order in which it is heard of', () => {
    const [one, other] = [hearing(), hearing()];
    const leads = ['l1', 'l2', 'l3'].map((leadId, number) => [leadId, `2026-05-01T10:20:0${number}.000Z`] as const);
    for (const [leadId, at] of leads) one.hear('order-o1', 'LeadDelivered', { ...delivered(leadId), at });
    for (const [leadId, at] of leads.toReversed())
      other.hear('order-o1', 'LeadDelivered', { ...delivered(leadId), at });
    const [first, second] = [one.wishesAt(LATER), other.wishesAt(LATER)] as [CommandWish[], CommandWish[]];
    expect(first[0]?.stream).toBe(second[0]?.stream);
    expect(first[0]?.command).toMatchObject({ happenedAt: '2026-05-01T10:20:00.000Z', facts: { leads: 3 } });
    expect(second[0]?.command).toMatchObject({ happenedAt: '2026-05-01T10:20:00.000Z', facts: { leads: 3 } });
  });

  it('DLV-9: who wants a mail for each lead gets it at once', () => {
    const { hear, commandsAt } = hearing();
    hear('customer-c1', 'LeadDeliveryChosen', { mails: 'each' });
    hear('order-o1', 'LeadDelivered', delivered('l1'));
    hear('order-o1', 'LeadDelivered', delivered('l2'));
    expect(commandsAt(AT)).toMatchObject([{ facts: { leadId: 'l1' } }, { facts: { leadId: 'l2' } }]);
  });

  it('NTF-1: a restart that the customer asked for is no news, one that came by itself is', () => {
    const { hear, wishesAt, commandsAt } = hearing();
    hear('order-o1', 'OrderPlaced', placed);
    wishesAt(AT);
    hear('order-o1', 'OrderRestarted', {}, 'customer:c1');
    expect(wishesAt(AT)).toEqual([]);
    hear('order-o1', 'OrderRestarted', { automatic: true }, 'process:auto-restart');
    expect(commandsAt(AT)).toMatchObject([{ kind: 'order-restarted', customerId: 'c1' }]);
  });
});
