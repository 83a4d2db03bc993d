import { given } from '#test/given';
import { defaultPolicy } from '../policy/policy.ts';
import { type TicketCommand, type TicketEvent, ticket } from './ticket.ts';

const sealed = (box: string) => ({ keyId: 'k', box: Buffer.from(box).toString('base64') });
const answerPolicy = { policyVersion: 3, ...defaultPolicy, holidays: ['2026-06-15'] };
const FRIDAY = '2026-06-12T16:00:00.000Z';
/** Monday is a holiday: two business days after Friday noon is Wednesday noon. */
const DUE = '2026-06-17T16:00:00.000Z';
const BEFORE_DUE = '2026-06-17T15:59:59.999Z';
const WEDNESDAY_EVENING = '2026-06-17T22:00:00.000Z';

const letter = { subject: sealed('late leads'), message: sealed('Where are they?') };
const open: TicketCommand = {
  type: 'OpenTicket',
  at: FRIDAY,
  customerId: 'c1',
  storeId: 'main',
  ...letter,
  answerPolicy,
};
const opened: TicketEvent = {
  type: 'TicketOpened',
  data: { at: FRIDAY, customerId: 'c1', storeId: 'main', ...letter, dueAt: DUE, policyVersion: 3 },
};
const answer = (at = BEFORE_DUE): TicketCommand => ({ type: 'AnswerTicket', at, answer: sealed('On their way.') });
const answered = (at = BEFORE_DUE): TicketEvent => ({
  type: 'TicketAnswered',
  data: { at, customerId: 'c1', answer: sealed('On their way.') },
});
const recordOverdue = (at: string): TicketCommand => ({ type: 'RecordTicketOverdue', at });
const overdue: TicketEvent = { type: 'TicketOverdue', data: { at: DUE, customerId: 'c1', dueAt: DUE } };
const writeAgain: TicketCommand = {
  type: 'WriteAgain',
  at: WEDNESDAY_EVENING,
  message: sealed('Still none.'),
  answerPolicy,
};
const reopened: TicketEvent = {
  type: 'TicketReopened',
  data: {
    at: WEDNESDAY_EVENING,
    customerId: 'c1',
    message: sealed('Still none.'),
    dueAt: '2026-06-19T22:00:00.000Z',
    policyVersion: 3,
  },
};
const close: TicketCommand = { type: 'CloseTicket', at: WEDNESDAY_EVENING };
const closed: TicketEvent = { type: 'TicketClosed', data: { at: WEDNESDAY_EVENING, customerId: 'c1' } };

describe('a ticket', () => {
  it('SUP-1: is due after 48 business hours, by the policy under which it was opened', () => {
    given(ticket).when(open).thenRecords(opened);
  });

  it('SUP-1: may request a call back, and then has a telephone number', () => {
    const callBackTelephone = sealed('+1 212 555 0143');
    given(ticket)
      .when({ ...open, callBackTelephone })
      .thenRecords({ ...opened, data: { ...opened.data, callBackTelephone } } as TicketEvent);
  });

  it('SUP-1: answered in time is never overdue', () => {
    given(ticket, opened).when(answer()).thenRecordsEachTime(answered());
    given(ticket, opened, answered()).when(recordOverdue(DUE)).thenNothing();
  });

  it('SUP-1: is overdue from its due instant until it is answered, which is recorded once', () => {
    given(ticket, opened).when(recordOverdue(BEFORE_DUE)).thenNothing();
    given(ticket, opened).when(recordOverdue(DUE)).thenRecords(overdue);
    given(ticket, opened, overdue).when(answer(WEDNESDAY_EVENING)).thenRecordsEachTime(answered(WEDNESDAY_EVENING));
  });

  it('SUP-1: has one answer; a second one would be mailed again', () => {
    given(ticket, opened, answered()).when(answer()).thenRefuses('ticket-answered');
  });

  it('SUP-1: waits for another answer when the customer writes after the answer', () => {
    given(ticket, opened, answered()).when(writeAgain).thenRecordsEachTime(reopened);
    given(ticket, opened, answered(), reopened).when(recordOverdue('2026-06-19T21:59:59.999Z')).thenNothing();
    given(ticket, opened, overdue, answered(), reopened)
      .when(recordOverdue('2026-06-20T00:00:00.000Z'))
      .thenRecords({
        type: 'TicketOverdue',
        data: { at: '2026-06-20T00:00:00.000Z', customerId: 'c1', dueAt: '2026-06-19T22:00:00.000Z' },
      });
    given(ticket, opened, answered(), reopened)
      .when(answer(WEDNESDAY_EVENING))
      .thenRecordsEachTime(answered(WEDNESDAY_EVENING));
  });

  it('SUP-1: that waits for an answer keeps its due date when the customer adds to it', () => {
    const at = WEDNESDAY_EVENING;
    given(ticket, opened)
      .when(writeAgain)
      .thenRecordsEachTime({ type: 'TicketAddedTo', data: { at, customerId: 'c1', message: sealed('Still none.') } });
  });

  it('that is closed is no longer due', () => {
    given(ticket, opened).when(close).thenRecords(closed);
    given(ticket, opened, answered()).when(close).thenRecords(closed);
    given(ticket, opened, closed).when(recordOverdue(DUE)).thenNothing();
    given(ticket, opened, closed).when(answer()).thenRefuses('ticket-closed');
    given(ticket, opened, closed).when(writeAgain).thenRefuses('ticket-closed');
  });

  it('that was never opened is unknown', () => {
    for (const command of [answer(), writeAgain, close, recordOverdue(DUE)])
      given(ticket).when(command).thenRefuses('ticket-unknown');
  });
});

describe('a ticket by mail', () => {
  const byMail = (attachmentsRefused: number) => ({
    ...{ thread: sealed('ids'), subject: sealed('late leads'), attachmentsRefused },
  });
  const answerTo = sealed('a@example.net');
  const openedByMail: TicketEvent = { type: 'TicketOpened', data: { ...opened.data, answerTo, letter: byMail(1) } };
  const addedByMail: TicketEvent = {
    type: 'TicketAddedTo',
    data: { at: BEFORE_DUE, customerId: 'c1', message: sealed('More.'), letter: byMail(2) },
  };

  it('is answered to the address that wrote it, and counts the files of all its letters', () => {
    given(ticket, openedByMail, addedByMail)
      .when(answer())
      .thenRecordsOnce({
        type: 'TicketAnswered',
        data: {
          ...{ at: BEFORE_DUE, customerId: 'c1', answer: sealed('On their way.') },
          ...{ storeId: 'main', answerTo, letter: byMail(3) },
        },
      });
  });

  it('takes no more letters when fifty messages wait, and takes them again after an answer', () => {
    const many = Array.from({ length: 49 }, () => addedByMail);
    const more: TicketCommand = { ...writeAgain, letter: byMail(0) } as TicketCommand;
    given(ticket, openedByMail, ...many)
      .when(more)
      .thenRefuses('ticket-full', 'SUP-3');
    expect(
      ticket.decide(more, [openedByMail, ...many, answered()].reduce(ticket.evolve, ticket.initialState())),
    ).toHaveLength(1);
  });

  it('SUP-3: is set aside, is never due, and becomes a ticket when support takes it up, unless nobody could be answered', () => {
    const about = { customerId: 'c1', storeId: 'main', ...letter, letter: byMail(0) };
    const setAside: TicketEvent = { type: 'LetterSetAside', data: { at: FRIDAY, reason: 'spam', ...about, answerTo } };
    const takeUp: TicketCommand = { type: 'TakeUpLetter', at: FRIDAY, answerPolicy };
    const takenUp: TicketEvent = { type: 'TicketOpened', data: { ...openedByMail.data, letter: byMail(0) } as never };
    given(ticket)
      .when({ type: 'SetLetterAside', at: FRIDAY, reason: 'spam', ...about, answerTo })
      .thenRecords(setAside);
    given(ticket, setAside).when(recordOverdue(DUE)).thenNothing();
    given(ticket, setAside).when(answer()).thenRefuses('ticket-set-aside', 'SUP-3');
    given(ticket, setAside).when(writeAgain).thenRefuses('ticket-set-aside', 'SUP-3');
    given(ticket, setAside).when(takeUp).thenRecords(takenUp);
    const anonymous = { ...setAside, data: { ...setAside.data, noAddress: true } } as TicketEvent;
    given(ticket, anonymous).when(takeUp).thenRefuses('ticket-without-address', 'SUP-3');
    given(ticket, anonymous).when(close).thenRecords(closed);
  });
});
