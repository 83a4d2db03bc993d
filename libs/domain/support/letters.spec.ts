import { given } from '#test/given';
import { type LettersCommand, type LettersEvent, letters } from './letters.ts';

const MONDAY = '2026-06-15T23:59:59.999Z';
const TUESDAY = '2026-06-16T00:00:00.000Z';
const admit = (ticketId: string, at = MONDAY): LettersCommand => ({
  ...{ type: 'AdmitLetter', at, customerId: 'c1', ticketId, mostADay: 2 },
});
const admitted = (ticketId: string, at = MONDAY): LettersEvent => ({
  ...{ type: 'LetterAdmitted', data: { at, customerId: 'c1', ticketId } },
});

describe('the letters of a writer', () => {
  it('SUP-3: open so many tickets a day, and as many on the next one', () => {
    given(letters, admitted('t1')).when(admit('t2')).thenRecords(admitted('t2'));
    given(letters, admitted('t1'), admitted('t2')).when(admit('t3')).thenRefuses('too-many-tickets', 'SUP-3');
    given(letters, admitted('t1'), admitted('t2')).when(admit('t3', TUESDAY)).thenRecords(admitted('t3', TUESDAY));
  });

  it('SUP-3: count once, whenever they come again', () => {
    given(letters, admitted('t1'), admitted('t2')).when(admit('t1')).thenNothing();
  });
});
