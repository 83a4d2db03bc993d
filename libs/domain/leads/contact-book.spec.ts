import { given, minute } from '#test/given';
import { type ContactBookCommand, type ContactBookEvent, contactBook } from './contact-book.ts';

const [ann, bob] = ['a'.repeat(22), 'b'.repeat(22)];
const add = (leadId: string, keys: { telephoneKey?: string; emailKey?: string }): ContactBookCommand => ({
  type: 'AddContact',
  at: minute(1),
  leadId,
  orderId: 'o1',
  ...keys,
});
const added = (leadId: string, keys: { telephoneKey?: string; emailKey?: string }): ContactBookEvent => ({
  type: 'ContactAdded',
  data: { at: minute(1), leadId, orderId: 'o1', ...keys },
});
const removed: ContactBookEvent = {
  type: 'ContactRemoved',
  data: { at: minute(2), leadId: 'l1', orderId: 'o1', reason: 'order-paused' },
};

describe("a customer's contact book", () => {
  it('DLV-4: accepts a person once, by telephone or by e-mail address, whichever lead it comes with', () => {
    given(contactBook)
      .when(add('l1', { telephoneKey: ann }))
      .thenRecords(added('l1', { telephoneKey: ann }));
    const past = added('l1', { telephoneKey: ann, emailKey: bob });
    given(contactBook, past)
      .when(add('l2', { telephoneKey: ann }))
      .thenRefuses('person-given-before', 'DLV-4');
    given(contactBook, past)
      .when(add('l2', { emailKey: bob }))
      .thenRefuses('person-given-before', 'DLV-4');
    given(contactBook, past)
      .when({ ...add('l1', {}), orderId: 'o2' } as ContactBookCommand)
      .thenRefuses('person-given-before', 'DLV-4');
    given(contactBook, added('l1', { telephoneKey: ann }))
      .when(add('l2', { telephoneKey: bob }))
      .thenRecords(added('l2', { telephoneKey: bob }));
  });

  it('accepts the person when the earlier delivery failed', () => {
    const past = added('l1', { telephoneKey: ann });
    given(contactBook, past)
      .when({ type: 'RemoveContact', at: minute(2), leadId: 'l1', orderId: 'o1', reason: 'order-paused' })
      .thenRecords(removed);
    given(contactBook, past, removed)
      .when(add('l2', { telephoneKey: ann }))
      .thenRecords(added('l2', { telephoneKey: ann }));
  });

  it('RPL-1: rates its persons', () => {
    const rate: ContactBookCommand = { type: 'RateContact', at: minute(3), leadId: 'l1', rating: 4 };
    given(contactBook, added('l1', { telephoneKey: ann }))
      .when(rate)
      .thenRecords({ type: 'ContactRated', data: { at: minute(3), leadId: 'l1', rating: 4 } });
    given(contactBook).when(rate).thenRefuses('contact-unknown', 'RPL-1');
  });
});

describe('DLV-12: a suppressed person in a contact book', () => {
  const suppress: ContactBookCommand = {
    type: 'SuppressContact',
    at: minute(2),
    leadId: 'l1',
    orderId: 'o1',
    suppression: 'opt-out',
  };
  const suppressed = (isListed: boolean): ContactBookEvent => ({
    type: 'ContactSuppressed',
    data: { at: minute(2), leadId: 'l1', orderId: 'o1', suppression: 'opt-out', isListed },
  });

  it('is noted once, for whoever has the contact', () => {
    given(contactBook, added('l1', { telephoneKey: ann }))
      .when(suppress)
      .thenRecords(suppressed(true));
  });

  it('is not added by a delivery that was under way', () => {
    given(contactBook).when(suppress).thenRecords(suppressed(false));
    given(contactBook, suppressed(false))
      .when(add('l1', { telephoneKey: ann }))
      .thenRefuses('person-suppressed', 'DLV-12');
  });
});
