import { z } from 'zod';
import { type Decider, type Decision, refuse, undecided } from '../kernel/decider.ts';
import {
  type EventsOf,
  fact,
  type Instant,
  instant,
  isUnsealed,
  type Sealed,
  type Secret,
  unsealed,
} from '../kernel/events.ts';
import { id, keyedHash, personKey, sealedFor, secretFor, timeZone } from '../kernel/fields.ts';
import { addSeconds } from '../kernel/instants.ts';
import {
  type Asked,
  anyone,
  customerInName,
  described,
  freshFactorOfStaff,
  ownerOrSupport,
  ownerOrSupportWithoutReason,
  processOnly,
  type RightsOf,
  staffWith,
} from '../kernel/rights.ts';
import { alwaysSent, type MailKind, mailKinds } from '../notifications/kinds.ts';
import { type Link, link, linkInvalid, linkIsGood, type PendingLink } from './link.ts';
import {
  type AddressProof,
  confirmAddress,
  confirmationRequested,
  type ProveAddressCommand,
  proofAfter,
  proveAddressRights,
  provedAddressEvents,
  requestConfirmation,
} from './proved-address.ts';
import {
  type BusinessKeys,
  businessKeysRenewed,
  legalEndingsId,
  type RenewBusinessKeys,
  renewBusinessKeys,
  type StatedBusiness,
  withNewKeys,
  withSealedNames,
} from './stated-businesses.ts';

/**
 * A customer's account: its store, its business, its time zone and its personal data (ACC). Imported customers may have no
 * e-mail address yet. The vault seals all data that names the person with one key.
 */
export const customerStream = (customerId: string) => `customer-${customerId}` as const;

/** DLV-9: one mail an hour for all leads, or one mail for each lead. */
export const leadMailChoices = ['digest', 'each'] as const;

/** The name of a business, and what DLV-3 compares: a keyed hash of its form. */
const business = {
  businessAssociation: sealedFor('customer', 'business-association'),
  businessKey: keyedHash,
  formerBusinessKeys: z
    .array(keyedHash)
    .optional()
    .describe('Of the same name, in the forms that older events have. Absent: `businessKey` is of the first form.'),
  legalEndingsId,
};

export const registrationShape = {
  storeId: id,
  ...business,
  timeZone,
  /** The text of the address. The key names its stream (`address-…`). */
  email: sealedFor('customer', 'email').optional(),
  addressKey: personKey.optional(),
  name: sealedFor('customer', 'name').optional(),
  postalAddress: sealedFor('customer', 'postal-address').optional(),
};

export const customerEvents = {
  CustomerRegistered: fact(registrationShape),
  BusinessAssociationChanged: fact(business),
  /**
   * Older versions stored names of businesses plain, and compared their normal form. From here on the present name is
   * sealed, and all of them are compared by keys. The customer works for the same business as before.
   */
  BusinessAssociationSealed: fact({
    businessAssociation: business.businessAssociation
      .optional()
      .describe('The present name. None: the key of the customer is destroyed.'),
    businessKey: keyedHash.describe('Of the present name.'),
    formerNameKeys: z.array(keyedHash).min(1).describe('Of each name that was plain, in the order of their events.'),
  }),
  /** Names that it stated have keys of the present form, too. The customer works for the same business as before. */
  BusinessKeysRenewed: fact(businessKeysRenewed),
  TimeZoneChanged: fact({ timeZone }),
  NameChanged: fact({ name: sealedFor('customer', 'name') }),
  PostalAddressChanged: fact({ postalAddress: sealedFor('customer', 'postal-address') }),
  ...provedAddressEvents,
  /** The link is sent to the new address: who opens it confirms the change. */
  EmailChangeRequested: fact({ email: sealedFor('customer', 'email'), addressKey: personKey, ...link }),
  EmailChanged: fact({
    email: sealedFor('customer', 'email'),
    addressKey: personKey,
    formerAddressKey: personKey.optional(),
    formerEmail: sealedFor('customer', 'email')
      .optional()
      .describe('It is told of the change (ACC-6). Absent: there was none, or an older version recorded this.'),
  }),
  /** What a password is checked against; never the password itself. */
  PasswordSet: fact({
    verifier: secretFor('customer', 'password-verifier'),
    how: z.enum(['chosen', 'recovered']),
    told: z
      .literal(true)
      .optional()
      .describe('Its owner gets a mail. Absent: it is the first one, or an older version recorded this.'),
  }),
  PasswordRecoveryRequested: fact(link),
  MailPreferencesChanged: fact({ off: z.array(z.enum(mailKinds)) }),
  /** DLV-9: how leads are announced by mail, and whether they are also sent to the customer's program. */
  LeadDeliveryChosen: fact({
    mails: z.enum(leadMailChoices),
    /** Only the customer may see the secret that signs the calls. */
    webhook: z
      .object({
        url: sealedFor('customer', 'webhook-address'),
        signingSecret: secretFor('customer', 'webhook-secret'),
        /** Calls are signed with it, too, so that the customer can change the secret of a program that runs. */
        former: z.object({ signingSecret: secretFor('customer', 'webhook-secret'), until: instant }).optional(),
      })
      .optional(),
  }),
};
export type CustomerEvent = EventsOf<typeof customerEvents>;

export type LeadDelivery = Omit<Extract<CustomerEvent, { type: 'LeadDeliveryChosen' }>['data'], 'at'>;

export type Registration = Readonly<Omit<Extract<CustomerEvent, { type: 'CustomerRegistered' }>['data'], 'at'>>;

export type CustomerCommand =
  /** `confirmation`: the link that proves its address. */
  | ({
      type: 'RegisterCustomer';
      at: Instant;
      verifier?: Secret | undefined;
      confirmation?: Link | undefined;
    } & Registration)
  /** A name that has not changed comes in the same box. */
  | ({ type: 'ChangeBusinessAssociation'; at: Instant; businessAssociation: Sealed } & BusinessKeys)
  /** `formerNameKeys`: of all `plainBusinesses`. Without a box, the customer was erased. */
  | {
      type: 'SealBusinessAssociation';
      at: Instant;
      businessAssociation?: Sealed;
      formerNameKeys: readonly [string, ...string[]];
    }
  | RenewBusinessKeys
  | { type: 'ChangeTimeZone'; at: Instant; timeZone: string }
  | { type: 'ChangeName'; at: Instant; name: Sealed }
  | { type: 'ChangePostalAddress'; at: Instant; postalAddress: Sealed }
  | ProveAddressCommand
  | ({ type: 'RequestEmailChange'; at: Instant; email: Sealed; addressKey: string } & Link)
  /** `claimedAt`: when the new address was claimed. The link must have been valid then. */
  | { type: 'ConfirmEmailChange'; at: Instant; tokenHash: string; claimedAt: Instant }
  /** `checked`: the verifier that the current password was checked against; absent where there was none. */
  | { type: 'SetPassword'; at: Instant; verifier: Secret; checked?: Secret }
  /** The one that came with the first order (ACC-1). */
  | { type: 'SetFirstPassword'; at: Instant; verifier: Secret }
  | ({ type: 'RequestPasswordRecovery'; at: Instant } & Link)
  | { type: 'RecoverPassword'; at: Instant; tokenHash: string; verifier: Secret }
  | { type: 'ChangeMailPreferences'; at: Instant; off: readonly MailKind[] }
  | { type: 'SwitchMailOff'; at: Instant; kind: MailKind }
  | ({ type: 'ChooseLeadDelivery'; at: Instant } & LeadDelivery);

const owner = ownerOrSupport(customerInName, 'ACC-4');
const bySupport = staffWith(['support'], 'ACC-1');

/** Nobody can sign in to an account without an address: support brings those of customers of another system. */
const registering = described(
  'anyone with an address; support and the store itself without one',
  (asked: Asked<{ readonly addressKey?: string | undefined }, unknown>) =>
    asked.command.addressKey !== undefined || asked.caller.roles.includes('process') ? undefined : bySupport(asked),
  'ACC-1',
);

/** Who may ask for which command. */
export const customerRights = {
  RegisterCustomer: registering,
  ChangeBusinessAssociation: owner,
  SealBusinessAssociation: processOnly,
  RenewBusinessKeys: processOnly,
  ChangeTimeZone: owner,
  ChangeName: owner,
  ChangePostalAddress: owner,
  ChangeMailPreferences: owner,
  ChooseLeadDelivery: owner,
  SetPassword: owner,
  SetFirstPassword: ownerOrSupportWithoutReason(customerInName, 'ACC-1'),
  // A customer sends the password with it.
  RequestEmailChange: freshFactorOfStaff(owner),
  ...proveAddressRights,
  // The link gives the right: it was sent only to that address.
  ConfirmEmailChange: anyone,
  // The link in the mail gives the right (NTF-6): the request checks its token.
  SwitchMailOff: anyone,
  RequestPasswordRecovery: anyone,
  RecoverPassword: anyone,
} satisfies RightsOf<CustomerCommand, CustomerState>;

export interface CustomerState extends Registration, AddressProof {
  /** Names of businesses that an older version stored plain, and that have no key yet. */
  readonly plainBusinesses: readonly Sealed[];
  /** The names of businesses that it stated, the present one last, each with its newest key. */
  readonly statedBusinesses: readonly StatedBusiness[];
  readonly verifier?: Secret;
  readonly emailChange?: PendingLink & { readonly email: Sealed; readonly addressKey: string };
  /** Those that are good, the newest last: nobody can end one by asking for another. */
  readonly recoveries: readonly (PendingLink & { readonly requestedAt: Instant })[];
  /** ACC-6: sessions that began before this instant have ended. */
  readonly sessionsVoidBefore?: Instant;
  readonly mailsOff: readonly MailKind[];
  readonly leadDelivery: LeadDelivery;
}

/** Also of a customer who was erased before the name that an older version stored plain could be sealed. */
export const noName: Sealed = unsealed('');

const nobody: CustomerState = {
  storeId: '',
  businessAssociation: noName,
  businessKey: '',
  plainBusinesses: [],
  statedBusinesses: [],
  timeZone: '',
  mailsOff: [],
  recoveries: [],
  leadDelivery: { mails: 'digest' },
};
export const notRegistered = refuse('customer-unknown', 'there is no such customer');
export const wrongPassword = refuse('password-wrong', 'the current password is another one', 'ACC-2');

/** Another link before these are over is no mail more: the one of before was just sent. */
const MINUTES_BETWEEN_RECOVERIES = 2;

const isLately = (link: { readonly requestedAt: Instant } | undefined, at: Instant): boolean =>
  link !== undefined && at < addSeconds(link.requestedAt, MINUTES_BETWEEN_RECOVERIES * 60);

/** Whether the link of this token gives the right to set a password now. */
export const isRecovery = ({ recoveries }: Pick<CustomerState, 'recoveries'>, hash: string, at: Instant): boolean =>
  recoveries.some((link) => linkIsGood(link, hash, at));

/** Whoever has no link is not told whether there is an account (ACC-2). */
const OF_LINKS: ReadonlySet<CustomerCommand['type']> = new Set([
  'ConfirmAddress',
  'ConfirmEmailChange',
  'RecoverPassword',
]);

export const customer: Decider<CustomerState, CustomerCommand, CustomerEvent> = {
  initialState: () => nobody,

  decide(command, state): Decision<CustomerEvent> {
    if (command.type === 'RegisterCustomer') return register(command, state);
    if (!isRegistered(state)) return OF_LINKS.has(command.type) ? linkInvalid : notRegistered;
    const { at } = command;
    switch (command.type) {
      case 'ChangeBusinessAssociation':
        return changeBusinessAssociation(command, state);
      case 'SealBusinessAssociation':
        return sealBusinessAssociation(command, state);
      case 'RenewBusinessKeys':
        return renewBusinessKeys(command, state);
      case 'ChangeTimeZone':
        if (command.timeZone === state.timeZone) return [];
        return [{ type: 'TimeZoneChanged', data: { at, timeZone: command.timeZone } }];
      case 'ChangeName':
        return [{ type: 'NameChanged', data: { at, name: command.name } }];
      case 'ChangePostalAddress':
        return [{ type: 'PostalAddressChanged', data: { at, postalAddress: command.postalAddress } }];
      case 'RequestAddressConfirmation':
        return requestConfirmation(command, state);
      case 'ConfirmAddress':
        return confirmAddress(command, state);
      case 'RequestEmailChange':
        return [{ type: 'EmailChangeRequested', data: withoutType(command) }];
      case 'ConfirmEmailChange':
        return confirmEmailChange(command, state);
      case 'SetPassword':
        // Another password was set since the check: what was sent as the current one is no longer it.
        if (command.checked?.box !== state.verifier?.box) return wrongPassword;
        return setPassword(at, command.verifier, state.email, state.verifier !== undefined);
      case 'SetFirstPassword':
        return state.verifier ? [] : setPassword(at, command.verifier, state.email);
      case 'RequestPasswordRecovery':
        if (isLately(state.recoveries.at(-1), at)) return [];
        return [{ type: 'PasswordRecoveryRequested', data: withoutType(command) }];
      case 'RecoverPassword':
        if (!isRecovery(state, command.tokenHash, at)) return linkInvalid;
        return [{ type: 'PasswordSet', data: { at, verifier: command.verifier, how: 'recovered', told: true } }];
      case 'ChangeMailPreferences':
        return changeMailPreferences(command, state);
      case 'SwitchMailOff':
        return changeMailPreferences({ at, off: [...state.mailsOff, command.kind] }, state);
      case 'ChooseLeadDelivery':
        if (isPresentDelivery(command, state.leadDelivery)) return [];
        return [{ type: 'LeadDeliveryChosen', data: withoutType(command) }];
      default:
        return undecided(command);
    }
  },

  evolve(state, event): CustomerState {
    switch (event.type) {
      case 'CustomerRegistered':
      case 'BusinessAssociationChanged': {
        const { at: _, ...data } = event.data;
        const { businessAssociation: name } = data;
        const statedBusinesses = [...state.statedBusinesses, { name, businessKey: data.businessKey }];
        const plainBusinesses = isUnsealed(name) ? [...state.plainBusinesses, name] : state.plainBusinesses;
        return { ...state, legalEndingsId: undefined, ...data, plainBusinesses, statedBusinesses };
      }
      case 'BusinessAssociationSealed': {
        const { businessAssociation = noName, businessKey } = event.data;
        const statedBusinesses = withSealedNames(state, event.data.formerNameKeys, businessAssociation);
        return { ...state, businessAssociation, businessKey, plainBusinesses: [], statedBusinesses };
      }
      case 'BusinessKeysRenewed':
        return {
          ...state,
          businessKey: event.data.businessKey,
          legalEndingsId: event.data.legalEndingsId,
          statedBusinesses: withNewKeys(state.statedBusinesses, event.data.names),
        };
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
      case 'AddressConfirmationRequested':
      case 'AddressConfirmed':
        return { ...state, ...proofAfter(state, event) };
      case 'EmailChanged': {
        // Links sent to the former address are not valid any more.
        const { emailChange, confirmation: _, ...rest } = state;
        const { at: sessionsVoidBefore, email, addressKey } = event.data;
        const proved = { addressIsProved: true, confirmedBy: emailChange?.tokenHash, recoveries: [] } as const;
        return { ...rest, email, addressKey, ...proved, sessionsVoidBefore };
      }
      case 'PasswordSet': {
        const { at: sessionsVoidBefore, verifier, how } = event.data;
        const proved = how === 'recovered' && { addressIsProved: true as const };
        return { ...state, recoveries: [], verifier, ...proved, sessionsVoidBefore };
      }
      case 'PasswordRecoveryRequested': {
        const { at: requestedAt, tokenHash, expiresAt } = event.data;
        const good = state.recoveries.filter((link) => requestedAt < link.expiresAt);
        return { ...state, recoveries: [...good, { requestedAt, tokenHash, expiresAt }] };
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

type Command<Type extends CustomerCommand['type']> = Extract<CustomerCommand, { type: Type }>;

function withoutType<Named extends CustomerCommand>({ type: _, ...data }: Named): Omit<Named, 'type'> {
  return data;
}

function register(command: Command<'RegisterCustomer'>, state: CustomerState): Decision<CustomerEvent> {
  const { type: _, verifier, confirmation, ...data } = command;
  if (isRegistered(state))
    return (['storeId', 'businessKey', 'timeZone', 'addressKey'] as const).every((name) => state[name] === data[name])
      ? []
      : refuse('customer-registered', 'this customer is registered already, with other details');
  const password = verifier ? setPassword(data.at, verifier, data.email) : [];
  if ('refused' in password) return password;
  const link = confirmation ? [confirmationRequested(data.at, confirmation)] : [];
  return [{ type: 'CustomerRegistered', data }, ...password, ...link];
}

function changeBusinessAssociation(
  command: Command<'ChangeBusinessAssociation'>,
  { businessAssociation: present }: CustomerState,
): Decision<CustomerEvent> {
  if (command.businessAssociation.box === present.box) return [];
  return [{ type: 'BusinessAssociationChanged', data: withoutType(command) }];
}

function sealBusinessAssociation(
  { at, businessAssociation: box, formerNameKeys }: Command<'SealBusinessAssociation'>,
  { plainBusinesses, businessAssociation: present, businessKey: presentKey }: CustomerState,
): Decision<CustomerEvent> {
  if (plainBusinesses.length === 0) return [];
  const [businessAssociation, businessKey = presentKey] = isUnsealed(present)
    ? [box, formerNameKeys.at(-1)]
    : [present, presentKey];
  const data = { at, ...(businessAssociation && { businessAssociation }), businessKey };
  return [{ type: 'BusinessAssociationSealed', data: { ...data, formerNameKeys: [...formerNameKeys] } }];
}

function confirmEmailChange(
  { at, tokenHash, claimedAt }: Command<'ConfirmEmailChange'>,
  { confirmedBy, emailChange, addressKey: formerAddressKey, email: formerEmail }: CustomerState,
): Decision<CustomerEvent> {
  if (tokenHash === confirmedBy) return [];
  if (!emailChange || !linkIsGood(emailChange, tokenHash, claimedAt)) return linkInvalid;
  const { email, addressKey } = emailChange;
  const former = { ...(formerAddressKey && { formerAddressKey }), ...(formerEmail && { formerEmail }) };
  return [{ type: 'EmailChanged', data: { at, email, addressKey, ...former } }];
}

function changeMailPreferences(
  command: Omit<Command<'ChangeMailPreferences'>, 'type'>,
  { mailsOff }: CustomerState,
): Decision<CustomerEvent> {
  const never = command.off.find((kind) => alwaysSent.has(kind));
  if (never) return refuse('mail-always-sent', `mails of the kind ${never} cannot be switched off`, 'NTF-2');
  const off = mailKinds.filter((kind) => command.off.includes(kind));
  if (off.join() === mailsOff.join()) return [];
  return [{ type: 'MailPreferencesChanged', data: { at: command.at, off } }];
}

/** An address and a secret that have not changed come in the same boxes. */
const isPresentDelivery = (asked: LeadDelivery, present: LeadDelivery): boolean =>
  asked.mails === present.mails &&
  asked.webhook?.url.box === present.webhook?.url.box &&
  asked.webhook?.signingSecret.box === present.webhook?.signingSecret.box;

/** ACC-1: the e-mail address is the user name, so a password needs one. */
const setPassword = (
  at: Instant,
  verifier: Secret,
  email: Sealed | undefined,
  isAnother = false,
): Decision<CustomerEvent> =>
  email
    ? [{ type: 'PasswordSet', data: { at, verifier, how: 'chosen', ...(isAnother && { told: true }) } }]
    : addressMissing;

export const addressMissing = refuse('address-missing', 'a password needs an e-mail address to sign in with', 'ACC-1');
