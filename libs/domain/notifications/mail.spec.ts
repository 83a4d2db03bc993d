import { given } from '#test/given';
import { mail } from './mail.ts';

const at = '2026-05-01T10:00:00.000Z';
const ofMail = { kind: 'order-confirmed', customerId: 'c1' } as const;
const wish = { ...ofMail, eventId: 'e1', happenedAt: at, facts: {} };
const wished = { type: 'MailWished', data: { at, ...wish } } as const;
const failed = {
  type: 'MailFailed',
  data: { at, ...ofMail, attempt: 1, failure: 'answered', status: 451, retryAt: at },
} as const;
const givenUp = {
  type: 'MailGivenUp',
  data: { at, ...ofMail, attempt: 2, failure: 'answered', status: 451 },
} as const;
const refused = { type: 'MailRefused', data: { at, ...ofMail, answer: { status: 550 } } } as const;
const retried = { type: 'MailRetried', data: { at, ...ofMail } } as const;
const sent = { type: 'MailSent', data: { at, ...ofMail, messageId: 'm1', subject: 'Your order' } } as const;
const withheld = { type: 'MailWithheld', data: { at, ...ofMail, reason: 'switched-off' } } as const;
const retry = { type: 'RetryMail', at } as const;
const acknowledge = { type: 'AcknowledgeMailFailure', at } as const;
const acknowledged = { type: 'MailFailureAcknowledged', data: { at, ...ofMail } } as const;

describe('NTF-4: a mail that is to be sent again by hand', () => {
  it('was refused or given up', () => {
    given(mail, wished, refused).when(retry).thenRecords(retried);
    given(mail, wished, failed, givenUp).when(retry).thenRecords(retried);
  });

  it('is tried by itself as long as it has no result: then nothing is recorded', () => {
    given(mail, wished).when(retry).thenNothing();
    given(mail, wished, failed).when(retry).thenNothing();
    given(mail, wished, refused, retried).when(retry).thenNothing();
  });

  it('is never one that was sent, or is not to be sent', () => {
    given(mail, wished, sent).when(retry).thenRefuses('mail-sent');
    given(mail, wished, withheld).when(retry).thenRefuses('mail-withheld');
    given(mail).when(retry).thenRefuses('mail-unknown');
  });

  it('has results again, and its attempts are counted on', () => {
    given(mail, wished, failed, givenUp, retried)
      .when({ type: 'RecordMailSent', at, messageId: 'm1', subject: 'Your order' })
      .thenRecords(sent);
    const third = { attempt: 3, failure: 'no-answer', retryAt: at } as const;
    given(mail, wished, failed, givenUp, retried)
      .when({ type: 'RecordMailFailed', at, ...third })
      .thenRecords({ type: 'MailFailed', data: { at, ...ofMail, ...third } });
  });
});

describe('NTF-4: support has dealt with a mail', () => {
  it('that was refused or given up, or whose attempts fail, and that is recorded once', () => {
    given(mail, wished, refused).when(acknowledge).thenRecords(acknowledged);
    given(mail, wished, failed).when(acknowledge).thenRecords(acknowledged);
    given(mail, wished, failed, givenUp).when(acknowledge).thenRecords(acknowledged);
    given(mail, wished, refused, acknowledged).when(acknowledge).thenNothing();
  });

  it('and never with one that has not failed', () => {
    given(mail).when(acknowledge).thenRefuses('mail-unknown');
    given(mail, wished).when(acknowledge).thenRefuses('mail-not-failed');
    given(mail, wished, sent).when(acknowledge).thenRefuses('mail-sent');
    given(mail, wished, withheld).when(acknowledge).thenRefuses('mail-withheld');
  });

  it('which is tried on, and may be sent again: then it is news once more', () => {
    given(mail, wished, failed, acknowledged)
      .when({ type: 'RecordMailSent', at, messageId: 'm1', subject: 'Your order' })
      .thenRecords(sent);
    given(mail, wished, refused, acknowledged).when(retry).thenRecords(retried);
    given(mail, wished, refused, acknowledged, retried, refused).when(acknowledge).thenRecords(acknowledged);
  });
});
