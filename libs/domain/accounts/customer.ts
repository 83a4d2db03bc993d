import { z } from 'zod';
import { type Decider, type Decision, refuse } from '../kernel/decider.ts';
import {
  type EventsOf,
  fact,
  type Instant,
  instant,
  personKey,
  type Sealed,
  type Secret,
  sealed,
  secret,
} from '../kernel/events.ts';
import { alwaysSent, type MailKind, mailKinds } from '../notifications/kinds.ts';

/**
 * A customer's account: whom it buys from, whom it works for, where its day begins, and who it is (ACC). Customers taken
 * over from elsewhere may have no e-mail address yet. The vault keeps all that names the person under one key.
 */
export const customerStream = (customerId: string) => `customer-${customerId}` as const;

/** A link in a mail works for so long (ACC-3, ACC-4). */
export const LINK_MINUTES = 30;

/** SHA-256, base64url, of what stands in a link: the log can tell the right one and not give it away. */
const tokenHash = z.string().length(43);
const link = { token: secret, tokenHash, expiresAt: instant };

/** DLV-9: one mail an hour for all leads, or one mail for each lead. */
export const leadMailChoices = ['digest', 'each'] as const;

export const customerEvents = {
  CustomerRegistered: fact({
    storeId: z.string(),
    businessAssociation: z.string(),
    timeZone: z.string(),
    /** Of the text of the address. Its stream (`address-…`) is named by the key. */
    email: sealed.optional(),
    addressKey: personKey.optional(),
    name: sealed.optional(),
    postalAddress: sealed.optional(),
  }),
  BusinessAssociationChanged: fact({ businessAssociation: z.string() }),
  TimeZoneChanged: fact({ timeZone: z.string() }),
  NameChanged: fact({ name: sealed }),
  PostalAddressChanged: fact({ postalAddress: sealed }),
  /** The link goes to the new address, from where it is confirmed. */
  EmailChangeRequested: fact({ email: sealed, addressKey: personKey, ...link }),
  EmailChanged: fact({ email: sealed, addressKey: personKey, formerAddressKey: personKey.optional() }),
  /** What a password is checked against, never the password. */
  PasswordSet: fact({ verifier: secret, how: z.enum(['chosen', 'recovered']) }),
  PasswordRecoveryRequested: fact(link),
  MailPreferencesChanged: fact({ off: z.array(z.enum(mailKinds)) }),
  /** DLV-9: leads are told of together or each in a mail of its own, and may be sent to a program besides. */
  LeadDeliveryChosen: fact({
    mails: z.enum(leadMailChoices),
    /** What a call is signed with is the customer's to know, and nobody else's. */
    webhook: z.object({ url: sealed, signingSecret: secret }).optional(),
  }),
};
export type CustomerEvent = EventsOf<typeof customerEvents>;

interface Link {
  readonly token: Secret;
  readonly tokenHash: string;
  readonly expiresAt: Instant;
}

export type LeadDelivery = Omit<Extract<CustomerEvent, { type: 'LeadDeliveryChosen' }>['data'], 'at'>;

export interface Registration {
  readonly storeId: string;
  readonly businessAssociation: string;
  readonly timeZone: string;
  readonly email?: Sealed | undefined;
  readonly addressKey?: string | undefined;
  readonly name?: Sealed | undefined;
  readonly postalAddress?: Sealed | undefined;
}

export type CustomerCommand =
  | ({ type: 'RegisterCustomer'; at: Instant; verifier?: Secret } & Registration)
  | { type: 'ChangeBusinessAssociation'; at: Instant; businessAssociation: string }
  | { type: 'ChangeTimeZone'; at: Instant; timeZone: string }
  | { type: 'ChangeName'; at: Instant; name: Sealed }
  | { type: 'ChangePostalAddress'; at: Instant; postalAddress: Sealed }
  | ({ type: 'RequestEmailChange'; at: Instant; email: Sealed; addressKey: string } & Link)
  /** `claimedAt`: when the new address was claimed for the customer; that the link was in time is decided by it. */
  | { type: 'ConfirmEmailChange'; at: Instant; tokenHash: string; claimedAt: Instant }
  | { type: 'SetPassword'; at: Instant; verifier: Secret }
  | ({ type: 'RequestPasswordRecovery'; at: Instant } & Link)
  | { type: 'RecoverPassword'; at: Instant; tokenHash: string; verifier: Secret }
  | { type: 'ChangeMailPreferences'; at: Instant; off: readonly MailKind[] }
  | ({ type: 'ChooseLeadDelivery'; at: Instant } & LeadDelivery);

type PendingLink = Pick<Link, 'tokenHash' | 'expiresAt'>;

export interface CustomerState {
  readonly storeId: string;
  readonly businessAssociation: string;
  readonly timeZone: string;
  readonly email?: Sealed | undefined;
  readonly addressKey?: string | undefined;
  readonly name?: Sealed | undefined;
  readonly postalAddress?: Sealed | undefined;
  readonly verifier?: Secret;
  readonly emailChange?: PendingLink & { readonly email: Sealed; readonly addressKey: string };
  /** The link that led to the present address: whoever follows it again is told that all is well. */
  readonly confirmedBy?: string;
  readonly recovery?: PendingLink;
  readonly mailsOff: readonly MailKind[];
  readonly leadDelivery: LeadDelivery;
}

const nobody: CustomerState = {
  storeId: '',
  businessAssociation: '',
  timeZone: '',
  mailsOff: [],
  leadDelivery: { mails: 'digest' },
};
export const notRegistered = refuse('customer-unknown', 'there is no such customer');
export const linkDead = refuse(
  'link-dead',
  'this link was used, has expired or was never given out: ask for a new one',
);

export const customer: Decider<CustomerState, CustomerCommand, CustomerEvent> = {
  initialState: () => nobody,

  decide(command, state): Decision<CustomerEvent> {
    if (command.type === 'RegisterCustomer') return register(command, state);
    if (!isRegistered(state)) return notRegistered;
    const { at } = command;
    switch (command.type) {
      case 'ChangeBusinessAssociation': {
        const { businessAssociation } = command;
        if (businessAssociation === state.businessAssociation) return [];
        return (
          refuseBusiness(businessAssociation) ?? [
            { type: 'BusinessAssociationChanged', data: { at, businessAssociation } },
          ]
        );
      }
      case 'ChangeTimeZone':
        if (command.timeZone === state.timeZone) return [];
        return [{ type: 'TimeZoneChanged', data: { at, timeZone: command.timeZone } }];
      case 'ChangeName':
        return [{ type: 'NameChanged', data: { at, name: command.name } }];
      case 'ChangePostalAddress':
        return [{ type: 'PostalAddressChanged', data: { at, postalAddress: command.postalAddress } }];
      case 'RequestEmailChange': {
        const { type: _, ...data } = command;
        return [{ type: 'EmailChangeRequested', data }];
      }
      case 'ConfirmEmailChange': {
        if (command.tokenHash === state.confirmedBy) return [];
        if (!state.emailChange || !linkIsGood(state.emailChange, command.tokenHash, command.claimedAt)) return linkDead;
        const { email, addressKey } = state.emailChange;
        return [
          {
            type: 'EmailChanged',
            data: { at, email, addressKey, ...(state.addressKey && { formerAddressKey: state.addressKey }) },
          },
        ];
      }
      case 'SetPassword':
        return passwordSet(at, command.verifier, state.email);
      case 'RequestPasswordRecovery': {
        const { type: _, ...data } = command;
        return [{ type: 'PasswordRecoveryRequested', data }];
      }
      case 'RecoverPassword':
        if (!linkIsGood(state.recovery, command.tokenHash, at)) return linkDead;
        return [{ type: 'PasswordSet', data: { at, verifier: command.verifier, how: 'recovered' } }];
      case 'ChangeMailPreferences': {
        const never = command.off.find((kind) => alwaysSent.has(kind));
        if (never) return refuse('mail-always-sent', `mails of the kind ${never} cannot be switched off`, 'NTF-2');
        const off = mailKinds.filter((kind) => command.off.includes(kind));
        if (off.join() === state.mailsOff.join()) return [];
        return [{ type: 'MailPreferencesChanged', data: { at, off } }];
      }
      case 'ChooseLeadDelivery': {
        const { type: _, ...data } = command;
        return [{ type: 'LeadDeliveryChosen', data }];
      }
    }
  },

  evolve(state, event): CustomerState {
    switch (event.type) {
      case 'CustomerRegistered':
      case 'BusinessAssociationChanged':
      case 'TimeZoneChanged':
      case 'NameChanged':
      case 'PostalAddressChanged': {
        const { at: _, ...data } = event.data;
        return { ...state, ...data };
      }
      case 'EmailChangeRequested': {
        const { email, addressKey, tokenHash, expiresAt } = event.data;
        return { ...state, emailChange: { email, addressKey, tokenHash, expiresAt } };
      }
      case 'EmailChanged': {
        // A recovery that was sent to the address given up is not to be had any more.
        const { emailChange, recovery: _, ...rest } = state;
        const { email, addressKey } = event.data;
        return { ...rest, email, addressKey, ...(emailChange && { confirmedBy: emailChange.tokenHash }) };
      }
      case 'PasswordSet': {
        const { recovery: _, ...rest } = state;
        return { ...rest, verifier: event.data.verifier };
      }
      case 'PasswordRecoveryRequested': {
        const { tokenHash, expiresAt } = event.data;
        return { ...state, recovery: { tokenHash, expiresAt } };
      }
      case 'MailPreferencesChanged':
        return { ...state, mailsOff: event.data.off };
      case 'LeadDeliveryChosen': {
        const { at: _, ...leadDelivery } = event.data;
        return { ...state, leadDelivery };
      }
    }
  },
};

export const isRegistered = (state: CustomerState): boolean => state.storeId !== '';

/**
 * What DLV-3 compares: a business's name without regard to case, spacing and punctuation. "A.B.C. Vitamins" and
 * "abc vitamins" are one business. Capitals first, since "ß" is written "SS" in them; back letter by letter, since small
 * letters may depend on their neighbours.
 */
export const businessKey = (businessAssociation: string): string =>
  [...businessAssociation.normalize('NFKC').toUpperCase()]
    .map((letter) => letter.toLowerCase())
    .join('')
    .replace(/[^\p{Letter}\p{Number}]/gu, '');

function register(
  command: Extract<CustomerCommand, { type: 'RegisterCustomer' }>,
  state: CustomerState,
): Decision<CustomerEvent> {
  const { type: _, verifier, ...data } = command;
  if (isRegistered(state))
    return (['storeId', 'businessAssociation', 'timeZone', 'addressKey'] as const).every(
      (name) => state[name] === data[name],
    )
      ? []
      : refuse('customer-registered', 'this customer is registered already, with other details');
  const refusal = refuseBusiness(data.businessAssociation);
  if (refusal) return refusal;
  const password = verifier ? passwordSet(data.at, verifier, data.email) : [];
  return 'refused' in password ? password : [{ type: 'CustomerRegistered', data }, ...password];
}

/** ACC-1: the address is the user name; a password alone opens nothing. */
const passwordSet = (at: Instant, verifier: Secret, email: Sealed | undefined): Decision<CustomerEvent> =>
  email
    ? [{ type: 'PasswordSet', data: { at, verifier, how: 'chosen' } }]
    : refuse('address-missing', 'a password needs an e-mail address to sign in with', 'ACC-1');

export const linkIsGood = (link: PendingLink | undefined, hash: string, at: Instant): boolean =>
  link !== undefined && link.tokenHash === hash && at < link.expiresAt;

const refuseBusiness = (businessAssociation: string) =>
  businessKey(businessAssociation) === ''
    ? refuse('business-association-empty', 'a business association has at least one letter or digit', 'ACC-5')
    : undefined;
