import { z } from 'zod';
import { type Decider, type Decision, refuse } from '../kernel/decider.ts';
import { type EventsOf, fact, type Instant, instant, sealed, secret } from '../kernel/events.ts';
import { deriveId } from '../kernel/ids.ts';
import { mailKinds } from './kinds.ts';

/** One mail, from the wish to what became of it (NTF-3). */
export const mailStream = (mailId: string) => `mail-${mailId}` as const;

/** One event, one mail of a kind: the id is made from both. */
export const mailIdOf = (kind: string, eventId: string): string => deriveId('mail', kind, eventId);

/** What a mail tells besides the customer and the store: ids, numbers, instants, and sealed what names a person. */
export const mailFacts = z.record(z.string(), z.union([z.string(), z.number(), secret, sealed]));
export type MailFacts = z.infer<typeof mailFacts>;

/**
 * Why nobody was written to: there is no address, the person was erased, does not want mails of this kind (NTF-2), or
 * what it would tell is old news by now.
 */
export const withholdings = ['no-address', 'erased', 'switched-off', 'too-late'] as const;
export type Withholding = (typeof withholdings)[number];

const ofMail = { kind: z.enum(mailKinds), customerId: z.string() };

export const mailEvents = {
  /** `happenedAt`: when that happened which it tells of. */
  MailWished: fact({ ...ofMail, eventId: z.string(), happenedAt: instant, facts: mailFacts }),
  MailSent: fact({ ...ofMail, messageId: z.string(), subject: z.string() }),
  /** For good: the address does not exist, or its server will not have it. */
  MailRefused: fact({ ...ofMail, reason: z.string() }),
  MailWithheld: fact({ ...ofMail, reason: z.enum(withholdings) }),
};
export type MailEvent = EventsOf<typeof mailEvents>;

type DataOf<Type extends MailEvent['type']> = Extract<MailEvent, { type: Type }>['data'];
export type MailWish = Omit<DataOf<'MailWished'>, 'at'>;

export type MailCommand =
  | ({ type: 'WishMail'; at: Instant } & MailWish)
  | { type: 'RecordMailSent'; at: Instant; messageId: string; subject: string }
  | { type: 'RecordMailRefused'; at: Instant; reason: string }
  | { type: 'RecordMailWithheld'; at: Instant; reason: Withholding };

export const mailStatuses = ['wished', 'sent', 'refused', 'withheld'] as const;

export interface MailState {
  readonly status: 'unknown' | (typeof mailStatuses)[number];
  readonly wish: MailWish | undefined;
}

export const mail: Decider<MailState, MailCommand, MailEvent> = {
  initialState: () => ({ status: 'unknown', wish: undefined }),

  decide(command, { status, wish }): Decision<MailEvent> {
    if (command.type === 'WishMail') {
      const { type: _, ...data } = command;
      return status === 'unknown' ? [{ type: 'MailWished', data }] : [];
    }
    if (!wish) return refuse('mail-unknown', 'there is no such mail', 'NTF-3');
    if (status !== 'wished') return [];
    const { kind, customerId } = wish;
    const { type, ...data } = { ...command, kind, customerId };
    switch (type) {
      case 'RecordMailSent':
        return [{ type: 'MailSent', data: data as DataOf<'MailSent'> }];
      case 'RecordMailRefused':
        return [{ type: 'MailRefused', data: data as DataOf<'MailRefused'> }];
      case 'RecordMailWithheld':
        return [{ type: 'MailWithheld', data: data as DataOf<'MailWithheld'> }];
    }
  },

  evolve(state, event): MailState {
    switch (event.type) {
      case 'MailWished': {
        const { at: _, ...wish } = event.data;
        return { status: 'wished', wish };
      }
      case 'MailSent':
        return { ...state, status: 'sent' };
      case 'MailRefused':
        return { ...state, status: 'refused' };
      case 'MailWithheld':
        return { ...state, status: 'withheld' };
    }
  },
};
