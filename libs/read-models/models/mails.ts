import { z } from 'zod';
import { type FactOf, idOf } from '#domain/codec';
import type { Instant } from '#domain/kernel/events';
import { mailKinds } from '#domain/notifications/kinds';
import { mailStatuses } from '#domain/notifications/mail';
import { tellFailedMail, tellMailAnswer } from '#domain/notifications/outcomes';
import { column } from '../engine/columns.ts';
import { modelOfStreams, table } from '../engine/model.ts';
import { customerTable } from './customers.ts';
import { exampleIds } from './examples.ts';

export const mailRow = z.object({
  mailId: column.id().describe('Id of the mail.'),
  kind: column.oneOf(mailKinds).describe('Kind of mail (NTF-1).'),
  customerId: column.id().describe('Customer to whom it goes.'),
  eventId: column.id().describe('Id of the event that the mail is about.'),
  happenedAt: column.instant().describe('When that event happened.'),
  wishedAt: column.instant().describe('When the mail was decided on.'),
  status: column.oneOf(mailStatuses).describe('`wished`: it is on its way, or waits for the mail server.'),
  endedAt: column.instant().nullable().describe('When it was sent, refused, withheld or given up. Null: not yet.'),
  subject: column.text().nullable().describe('Subject line. Null until it is sent.'),
  messageId: column.text().nullable().describe('Message-ID, which mail servers know it by. Null until it is sent.'),
  reason: column.text().nullable().describe('Why it was refused, withheld or given up. Null: it was not.'),
  failedAttempts: column.count().describe('Attempts that failed.'),
  lastError: column.text().nullable().describe('Why the last failed attempt failed. Null: none failed.'),
  retryAt: column
    .instant()
    .nullable()
    .describe('When it is tried again (NTF-4). Null: no attempt failed, or it ended.'),
  acknowledgedAt: column
    .instant()
    .nullable()
    .describe('When support noted that it has dealt with the failure (NTF-4). Null: it did not.'),
  revision: column.revision(),
});
export type MailRow = z.infer<typeof mailRow>;

export const mailExample: MailRow = {
  mailId: exampleIds.mailId,
  kind: 'chargeback-granted',
  customerId: exampleIds.customerId,
  eventId: exampleIds.eventId,
  happenedAt: '2026-03-02T11:00:00.000Z',
  wishedAt: '2026-03-02T11:00:00.020Z',
  status: 'sent',
  endedAt: '2026-03-02T11:00:00.350Z',
  subject: 'Chargeback Granted',
  messageId: `${exampleIds.mailId}@west.example`,
  reason: null,
  failedAttempts: 0,
  lastError: null,
  retryAt: null,
  acknowledgedAt: null,
  revision: 1,
};

export const mailTable = table(mailRow, {
  name: 'mails',
  key: 'mailId',
  family: 'mail',
  belongsTo: { customer: 'customerId', sameAs: customerTable },
  indexes: [
    'wished_at DESC, mail_id DESC',
    'customer_id, wished_at DESC, mail_id DESC',
    'status, wished_at DESC, mail_id DESC',
  ],
});

export const mails = modelOfStreams({
  name: 'mails',
  table: mailTable,
  never: 'a mail that was never wished',
  on: {
    MailWished: (mail, fact) => mail.create(wished(fact)),
    MailSent: (mail, { data: { at: endedAt, subject, messageId } }) =>
      mail.set({ ...ended(endedAt), status: 'sent', subject, messageId }),
    MailRefused: (mail, { data: { at: endedAt, answer } }) =>
      mail.set({ ...ended(endedAt), status: 'refused', reason: tellMailAnswer(answer) }),
    MailWithheld: (mail, { data: { at: endedAt, reason } }) =>
      mail.set({ ...ended(endedAt), status: 'withheld', reason }),
    MailFailed: (mail, { data }) =>
      mail.set({ failedAttempts: data.attempt, lastError: tellFailedMail(data), retryAt: data.retryAt }),
    MailGivenUp: (mail, { data }) =>
      mail.set({
        ...ended(data.at),
        status: 'given-up',
        reason: tellFailedMail(data),
        failedAttempts: data.attempt,
        lastError: tellFailedMail(data),
      }),
    MailRetried: (mail) =>
      mail.set({ status: 'wished', endedAt: null, reason: null, retryAt: null, acknowledgedAt: null }),
    MailFailureAcknowledged: (mail, { data }) => mail.set({ acknowledgedAt: data.at }),
  },
});

const ended = (endedAt: Instant) => ({ endedAt, retryAt: null });

const wished = ({ stream, revision, data }: FactOf<'MailWished'>): MailRow => ({
  mailId: idOf(stream),
  kind: data.kind,
  customerId: data.customerId,
  eventId: data.eventId,
  happenedAt: data.happenedAt,
  wishedAt: data.at,
  status: 'wished',
  endedAt: null,
  subject: null,
  messageId: null,
  reason: null,
  failedAttempts: 0,
  lastError: null,
  retryAt: null,
  acknowledgedAt: null,
  revision,
});
