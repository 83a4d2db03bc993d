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
    ['address-a1', 'AddressClaimed', 'ReleaseAddress'],
  ] as const)('ends what begins for an erased customer: %s %s', (stream, type, end) => {
    const { fold, wishesAt } = driveProcess(personErasure, AT);
    fold('erasures-main', 'PersonErased', erased({ subjects: ['customer-c1'] }));
    fold(stream, type, { customerId: 'c2' });
    expect(wishesAt()).toEqual([]);
    fold(stream, type, { customerId: 'c1' });
    expect(wishesAt()).toEqual([end]);
  });
});
