import type { FactOf } from '#domain/codec';
import { driveProcess } from '#test/process-driver';
import { personErasure } from './person-erasure.ts';

const AT = '2026-03-02T15:00:00.000Z';
const erased = (change: Partial<FactOf<'PersonErased'>['data']> = {}) => ({
  subjects: [],
  personKeys: [],
  ends: [],
  ...change,
});

describe('the process that ends what erased persons had', () => {
  it('erases a lead that arrives later, by either of its keys, until the erasure is recorded', () => {
    for (const keys of [{ telephoneKey: 't' }, { emailKey: 'e', telephoneKey: 'other' }]) {
      const { fold, wishesAt } = driveProcess(personErasure, AT);
      fold('erasures-main', 'PersonErased', erased({ personKeys: ['t', 'e'] }));
      fold('lead-l1', 'LeadReceived', { leadTypeId: 'x', ...keys });
      expect(wishesAt()).toEqual(['WithdrawLead', 'erase-lead']);
      expect(wishesAt()).toEqual([]);
    }
  });

  it('does nothing again after a restart when all is recorded', () => {
    const { fold, wishesAt } = driveProcess(personErasure, AT);
    fold('erasures-main', 'PersonErased', erased({ personKeys: ['t'] }));
    fold('lead-l1', 'LeadReceived', { leadTypeId: 'x', telephoneKey: 't' });
    fold('lead-l1', 'LeadWithdrawn', { leadTypeId: 'x' });
    fold('erasures-main', 'PersonErased', erased({ subjects: ['lead-l1'] }));
    expect(wishesAt()).toEqual([]);
  });

  it('leaves leads of others, and those that were there before: the request finds them', () => {
    const { fold, wishesAt } = driveProcess(personErasure, AT);
    fold('lead-l1', 'LeadReceived', { leadTypeId: 'x', telephoneKey: 't' });
    fold('erasures-main', 'PersonErased', erased({ personKeys: ['t'], subjects: ['lead-l1'] }));
    fold('lead-l2', 'LeadReceived', { leadTypeId: 'x', telephoneKey: 'u' });
    fold('lead-l3', 'LeadReceived', { leadTypeId: 'x' });
    expect(wishesAt()).toEqual([]);
  });

  it.each([
    ['order-o1', 'OrderPlaced', 'CancelOrder'],
    ['programme-o1', 'ProgrammeJoined', 'CancelProgramme'],
    ['ticket-t1', 'TicketOpened', 'CloseTicket'],
    ['ticket-t1', 'TicketReopened', 'CloseTicket'],
    ['ticket-t1', 'LetterSetAside', 'CloseTicket'],
    ['address-a1', 'AddressClaimed', 'ReleaseAddress'],
    ['checkout-k1', 'CheckoutStarted', 'AbandonCheckout'],
    ['replacement-r1', 'ReplacementRequested', 'EndReplacement'],
    ['order-o1', 'ReplacementOwed', 'ForgiveReplacement'],
  ] as const)('ends what begins for an erased customer: %s %s', (stream, type, end) => {
    const { fold, wishesAt } = driveProcess(personErasure, AT);
    fold('erasures-main', 'PersonErased', erased({ subjects: ['customer-c1'] }));
    fold(stream, type, { customerId: 'c2', replacementId: 'r1' });
    expect(wishesAt()).toEqual([]);
    fold(stream, type, { customerId: 'c1', replacementId: 'r1' });
    expect(wishesAt()).toEqual([end]);
  });

  it('releases the addresses of all customers of an erasure, each for who has it', () => {
    const { fold, wishes } = driveProcess(personErasure, AT);
    const subjects = ['customer-c1', 'customer-c2'];
    fold('erasures-main', 'PersonErased', erased({ subjects, ends: ['address-a1', 'address-a2'] }));
    fold('address-a2', 'AddressReleased', { customerId: 'c2' });
    expect(wishes()).toMatchObject([
      { stream: 'address-a1', command: { type: 'ReleaseAddress', customerId: 'c1' } },
      { stream: 'address-a1', command: { type: 'ReleaseAddress', customerId: 'c2' } },
      { stream: 'address-a2', command: { type: 'ReleaseAddress', customerId: 'c1' } },
    ]);
  });

  it('cancels a filled order when a renewal that was being paid re-opens it', () => {
    const { fold, wishesAt } = driveProcess(personErasure, AT);
    fold('order-o1', 'OrderFilled', {});
    fold('erasures-main', 'PersonErased', erased({ subjects: ['customer-c1'], ends: ['order-o1'] }));
    expect(wishesAt()).toEqual(['CancelOrder']);
    fold('order-o1', 'OrderReopened', {});
    fold('order-o2', 'OrderReopened', {});
    expect(wishesAt()).toEqual(['CancelOrder']);
  });

  it('ends checkouts, returns and debts that the erasure does not name, and leaves those that have ended', () => {
    const { fold, wishes } = driveProcess(personErasure, AT);
    const ofCustomer = { customerId: 'c1' };
    for (const number of [1, 2, 3]) fold(`replacement-r${number}`, 'ReplacementRequested', ofCustomer);
    for (const number of [1, 2, 3]) fold(`checkout-k${number}`, 'CheckoutStarted', ofCustomer);
    for (const number of [3, 4, 5])
      fold('order-o1', 'ReplacementOwed', { ...ofCustomer, replacementId: `r${number}`, leadId: `l${number}` });
    fold('checkout-k4', 'CheckoutStarted', { customerId: 'c2' });
    fold('replacement-r2', 'ChargebackDenied', {});
    fold('checkout-k2', 'CheckoutAbandoned', {});
    fold('checkout-k3', 'CheckoutPlaced', {});
    fold('order-o1', 'LeadDelivered', { leadId: 'l8', replacementFor: 'r4' });
    fold('order-o1', 'LeadDelivered', { leadId: 'l9' });
    fold('erasures-main', 'PersonErased', erased({ subjects: ['customer-c1'] }));
    expect(wishes()).toMatchObject([
      { stream: 'replacement-r1', command: { type: 'EndReplacement', cause: 'customer-erased' } },
      { stream: 'replacement-r3' },
      { stream: 'checkout-k1', command: { type: 'AbandonCheckout', cause: 'customer-erased' } },
      { stream: 'order-o1', command: { type: 'ForgiveReplacement', replacementId: 'r3' } },
      { stream: 'order-o1', command: { type: 'ForgiveReplacement', replacementId: 'r5' } },
    ]);
  });
});
