import {
  type FailedCall,
  type MailAnswer,
  mailAnswerIn,
  mailUpcasters,
  tellFailedCall,
  tellMailAnswer,
  webhookUpcasters,
} from './outcomes.ts';

describe('the answer of a mail server', () => {
  it.each<[string, MailAnswer, string]>([
    ['550 no such user ada@example.org', { status: 550 }, 'the mail server answered 550'],
    [
      '550-5.1.1 <ada@example.org> does not exist',
      { status: 550, enhanced: { subject: 1, detail: 1 } },
      'the mail server answered 550 (5.1.1)',
    ],
    [
      "Can't send mail - all recipients were rejected: 553 ada555@example.org",
      { status: 553 },
      'the mail server answered 553',
    ],
    ['Message failed: ada@example.org', {}, 'the mail server refused it'],
  ])('%s: only the codes are kept', (text, answer, told) => {
    expect(mailAnswerIn(text)).toEqual(answer);
    expect(tellMailAnswer(answer)).toBe(told);
  });

  it('of version 1 is read without its text', () => {
    const [upcast] = mailUpcasters.MailRefused;
    expect(upcast?.({ customerId: 'c1', reason: '550 5.2.2 ada@example.org is full' })).toEqual({
      customerId: 'c1',
      answer: { status: 550, enhanced: { subject: 2, detail: 2 } },
    });
  });
});

describe('a call that failed, of version 1', () => {
  it.each([
    ['it answered 503', 'it answered 503'],
    ['no answer within 15 seconds', 'it did not answer in time'],
    ['getaddrinfo ENOTFOUND crm.ada-lovelace.example', 'its host is unknown'],
    ['connect ECONNREFUSED 198.51.100.7:443', 'there was no connection to it, or it broke'],
    ['self-signed certificate', 'its certificate or its encryption was not accepted'],
    ['ada.example (10.0.0.1) is not an address on the public Internet', 'its address is not on the public Internet'],
    ['the customer was erased', 'the customer was erased'],
    ['the person was erased', 'the person was erased'],
    [
      'the customer does not want leads sent to a program any more',
      'the customer does not want leads sent to a program any more',
    ],
  ])('%s: only its kind is read', (reason, told) => {
    for (const upcast of [...webhookUpcasters.WebhookFailed, ...webhookUpcasters.WebhookParked]) {
      const { attempt, ...failed } = upcast({ attempt: 1, reason });
      expect([attempt, tellFailedCall(failed as FailedCall)]).toEqual([1, told]);
      expect(failed).not.toHaveProperty('reason');
    }
  });
});
