import { z } from 'zod';
import { type Decider, type Decision, refuse } from '../kernel/decider.ts';
import { type EventsOf, fact, type Instant, instant } from '../kernel/events.ts';
import { id, storeText } from '../kernel/fields.ts';
import { deriveId } from '../kernel/ids.ts';
import { processOnly, type RightsOf, support } from '../kernel/rights.ts';
import { mailKinds } from './kinds.ts';
import { mailFacts } from './mail-facts.ts';
import { type FailedMail, type MailAnswer, mailAnswer, mailFailure } from './outcomes.ts';

/** One mail, from the wish to its result (NTF-3). */
export const mailStream = (mailId: string) => `mail-${mailId}` as const;

/** An event causes at most one mail of a kind: the id is derived from both. */
export const mailIdOf = (kind: string, eventId: string): string => deriveId('mail', kind, eventId);

/**
 * Why a mail was not sent: there is no address, the person was erased, does not want mails of this kind (NTF-2), or the
 * mail would come too late.
 */
const withholdings = ['no-address', 'erased', 'switched-off', 'too-late'] as const;
export type Withholding = (typeof withholdings)[number];

const ofMail = { kind: z.enum(mailKinds), customerId: id };
const attempt = z.int().positive();

export const mailEvents = {
  /** `happenedAt`: the instant of the event that caused the mail. */
  MailWished: fact({ ...ofMail, eventId: id, happenedAt: instant, facts: mailFacts }),
  MailSent: fact({ ...ofMail, messageId: id, subject: storeText }),
  /** The address does not exist, or its server rejects the mail: it is not tried again by itself. */
  MailRefused: fact({ ...ofMail, answer: mailAnswer }),
  MailWithheld: fact({ ...ofMail, reason: z.enum(withholdings) }),
  /** It is tried again (NTF-4). */
  MailFailed: fact({ ...ofMail, attempt, ...mailFailure, retryAt: instant }),
  /** It was tried for five days (NTF-4), and is not tried again by itself. */
  MailGivenUp: fact({ ...ofMail, attempt, ...mailFailure }),
  /** Support has it sent again, with all its attempts. */
  MailRetried: fact(ofMail),
  /** Support has dealt with it in another way: nobody has to look at it any more. What is tried by itself is tried on. */
  MailFailureAcknowledged: fact(ofMail),
};
type MailEvent = EventsOf<typeof mailEvents>;

type DataOf<Type extends MailEvent['type']> = Extract<MailEvent, { type: Type }>['data'];
export type MailWish = Omit<DataOf<'MailWished'>, 'at'>;

type MailCommand =
  | ({ type: 'WishMail'; at: Instant } & MailWish)
  | { type: 'RecordMailSent'; at: Instant; messageId: string; subject: string }
  | { type: 'RecordMailRefused'; at: Instant; answer: MailAnswer }
  | { type: 'RecordMailWithheld'; at: Instant; reason: Withholding }
  | ({ type: 'RecordMailFailed'; at: Instant; attempt: number; retryAt: Instant } & FailedMail)
  | ({ type: 'RecordMailGivenUp'; at: Instant; attempt: number } & FailedMail)
  | OfSupport;

/** `storeId`: of its customer, for the rights of staff. */
type OfSupport =
  | { type: 'RetryMail'; at: Instant; storeId?: string | undefined }
  | { type: 'AcknowledgeMailFailure'; at: Instant; storeId?: string | undefined };

/** Who may ask for which command. */
export const mailRights = {
  WishMail: processOnly,
  RecordMailSent: processOnly,
  RecordMailRefused: processOnly,
  RecordMailWithheld: processOnly,
  RecordMailFailed: processOnly,
  RecordMailGivenUp: processOnly,
  RetryMail: support('NTF-4'),
  AcknowledgeMailFailure: support('NTF-4'),
} satisfies RightsOf<MailCommand, MailState>;

export const mailStatuses = ['wished', 'sent', 'refused', 'withheld', 'given-up'] as const;
type MailStatus = (typeof mailStatuses)[number];

interface MailState {
  readonly status: MailStatus | 'unknown';
  readonly wish: MailWish | undefined;
  /** Attempts that failed. */
  readonly attempts: number;
  /** Support knows that it was not sent. */
  readonly isAcknowledged: boolean;
}

export const mail: Decider<MailState, MailCommand, MailEvent> = {
  initialState: () => ({ status: 'unknown', wish: undefined, attempts: 0, isAcknowledged: false }),

  decide(command, state): Decision<MailEvent> {
    const { status, wish, attempts } = state;
    if (command.type === 'WishMail') {
      const { type: _, ...data } = command;
      return status === 'unknown' ? [{ type: 'MailWished', data }] : [];
    }
    if (!wish) return refuse('mail-unknown', 'there is no such mail', 'NTF-3');
    if (command.type === 'RetryMail' || command.type === 'AcknowledgeMailFailure')
      return whatSupportWants(command, wish, state);
    // This result is already recorded: after a crash the mail was sent again.
    if (status !== 'wished' || ('attempt' in command && command.attempt !== attempts + 1)) return [];
    const { kind, customerId } = wish;
    const { type, ...data } = { ...command, kind, customerId };
    switch (type) {
      case 'RecordMailSent':
        return [{ type: 'MailSent', data: data as DataOf<'MailSent'> }];
      case 'RecordMailRefused':
        return [{ type: 'MailRefused', data: data as DataOf<'MailRefused'> }];
      case 'RecordMailWithheld':
        return [{ type: 'MailWithheld', data: data as DataOf<'MailWithheld'> }];
      case 'RecordMailFailed':
        return [{ type: 'MailFailed', data: data as DataOf<'MailFailed'> }];
      case 'RecordMailGivenUp':
        return [{ type: 'MailGivenUp', data: data as DataOf<'MailGivenUp'> }];
    }
  },

  evolve(state, event): MailState {
    switch (event.type) {
      case 'MailWished': {
        const { at: _, ...wish } = event.data;
        return { ...state, status: 'wished', wish };
      }
      case 'MailSent':
        return { ...state, status: 'sent' };
      case 'MailRefused':
        return { ...state, status: 'refused' };
      case 'MailWithheld':
        return { ...state, status: 'withheld' };
      case 'MailFailed':
        return { ...state, attempts: event.data.attempt };
      case 'MailGivenUp':
        return { ...state, status: 'given-up', attempts: event.data.attempt };
      case 'MailRetried':
        return { ...state, status: 'wished', isAcknowledged: false };
      case 'MailFailureAcknowledged':
        return { ...state, isAcknowledged: true };
    }
  },
};

/** A mail on its way is tried by itself: a second attempt beside it might send it twice (NTF-3). */
function whatSupportWants(
  { type, at }: OfSupport,
  { kind, customerId }: MailWish,
  { status, attempts, isAcknowledged }: MailState,
): Decision<MailEvent> {
  if (status === 'sent') return refuse('mail-sent', 'the mail server has taken this mail', 'NTF-3');
  if (status === 'withheld') return refuse('mail-withheld', 'this mail is not to be sent', 'NTF-2');
  const data = { at, kind, customerId };
  if (type === 'RetryMail') return status === 'wished' ? [] : [{ type: 'MailRetried', data }];
  if (status === 'wished' && attempts === 0)
    return refuse('mail-not-failed', 'this mail is on its way: no attempt failed since it was asked for', 'NTF-4');
  return isAcknowledged ? [] : [{ type: 'MailFailureAcknowledged', data }];
}
