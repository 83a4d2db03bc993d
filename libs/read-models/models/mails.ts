import { type FactOf, idOf } from '#domain/codec';
import type { MailKind } from '#domain/notifications/kinds';
import { type Model, table } from '../engine/model.ts';

export interface MailRow {
  readonly mailId: string;
  readonly kind: MailKind;
  readonly customerId: string;
  /** The event that it tells of, and when that happened. */
  readonly eventId: string;
  readonly happenedAt: string;
  readonly wishedAt: string;
  readonly status: 'wished' | 'sent' | 'refused' | 'withheld';
  /** When it was sent, refused or withheld. */
  readonly endedAt: string | null;
  readonly subject: string | null;
  readonly messageId: string | null;
  /** Why it was refused or withheld. */
  readonly reason: string | null;
}

export const mailTable = table<MailRow>({
  name: 'mails',
  key: 'mailId',
  columns: {
    mailId: 'text',
    kind: 'text',
    customerId: 'text',
    eventId: 'text',
    happenedAt: 'timestamptz',
    wishedAt: 'timestamptz',
    status: 'text',
    endedAt: 'timestamptz',
    subject: 'text',
    messageId: 'text',
    reason: 'text',
  },
  indexes: [
    'wished_at DESC, mail_id DESC',
    'customer_id, wished_at DESC, mail_id DESC',
    'status, wished_at DESC, mail_id DESC',
  ],
});

const eventTypes = ['MailWished', 'MailSent', 'MailRefused', 'MailWithheld'] as const;

export const mails: Model<(typeof eventTypes)[number]> = {
  name: 'mails',
  version: 2,
  tables: [mailTable],
  eventTypes,
  keysOf: ({ stream }) => [[mailTable, idOf(stream)]],

  evolve(rows, fact) {
    const mailId = idOf(fact.stream);
    const row = fact.type === 'MailWished' ? wished(mailId, fact) : rows.get(mailTable, mailId);
    if (!row) throw new Error(`${fact.type} of a mail that nobody wished`);
    rows.put(mailTable, { ...row, ...changeBy(fact) });
  },
};

const wished = (mailId: string, { data }: FactOf<'MailWished'>): MailRow => ({
  mailId,
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
});

function changeBy({ type, data }: FactOf<(typeof eventTypes)[number]>): Partial<MailRow> {
  switch (type) {
    case 'MailWished':
      return {};
    case 'MailSent':
      return { status: 'sent', endedAt: data.at, subject: data.subject, messageId: data.messageId };
    case 'MailRefused':
      return { status: 'refused', endedAt: data.at, reason: data.reason };
    case 'MailWithheld':
      return { status: 'withheld', endedAt: data.at, reason: data.reason };
  }
}
