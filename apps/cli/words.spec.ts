import { tellEvent } from './words.ts';

const at = '2026-03-01T09:30:00.000Z';
const note = { keyId: 'key-1', box: 'c2VhbGVk' };

it('an event with a sentence is told in that sentence', () => {
  expect(tellEvent('PersonLinked', { at, leadId: 'l2' })).toBe('lead l2, which was sold too, has the same person');
  expect(tellEvent('OrderFilled', { at, deliveredLeads: 25 })).toBe('filled: all 25 leads delivered');
});

it('an event without a sentence is shown with its type and its fields, what is sealed without its content', () => {
  expect(tellEvent('OrderNotedByStaff', { at, note, urgent: true })).toBe(
    'order noted by staff; note: sealed; urgent: true',
  );
  expect(tellEvent('OrderNoted', { at, notes: [{ by: 'ada', note }] })).toBe(
    'order noted; notes: [{"by":"ada","note":"sealed"}]',
  );
});
