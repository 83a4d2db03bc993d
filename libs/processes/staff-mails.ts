import { type Fact, type FactOf, idOf } from '#domain/codec';
import type { AccountChange } from '#domain/notifications/kinds';
import type { MailFacts } from '#domain/notifications/mail-facts';

/** A member of staff is no customer: the mail says where it goes, and in the name of which store. */
export const staffInvitation = {
  kind: 'staff-invitation',
  customerId: ({ data }: FactOf<'StaffMemberInvited'>): string => data.memberId,
  facts: ({ data: { token, expiresAt, email, storeId } }: FactOf<'StaffMemberInvited'>): MailFacts => ({
    token,
    expiresAt,
    to: email,
    storeId,
  }),
} as const;

type OfAccount = FactOf<
  | 'TotpAdded'
  | 'PasskeyAdded'
  | 'FactorRemoved'
  | 'FactorsReset'
  | 'RecoveryCodesIssued'
  | 'RecoveryCodeUsed'
  | 'StaffPasswordSet'
  | 'StaffRolesChanged'
  | 'NewBrowserSignedIn'
  | 'SessionsEnded'
>;

/** Whoever else has signed in may have done it: the owner is told. */
export const accountChanged = (change: AccountChange) =>
  ({
    kind: 'account-changed',
    customerId: ({ data }: OfAccount): string | undefined =>
      data.memberId ?? ('customerId' in data ? data.customerId : undefined),
    facts: (): MailFacts => ({ change }),
  }) as const;

export const newBrowser = {
  ...accountChanged('new-browser'),
  facts: ({ data: { device } }: FactOf<'NewBrowserSignedIn'>): MailFacts => ({ change: 'new-browser', device }),
};

export const factorRemoved = {
  ...accountChanged('factor-removed'),
  facts: ({ data: { kind } }: FactOf<'FactorRemoved'>): MailFacts => ({
    change: kind === 'passkey' ? 'passkey-removed' : 'factor-removed',
  }),
};

/** The first password of a member is no news. */
export const passwordChanged = {
  ...accountChanged('password-changed'),
  facts: ({ data }: FactOf<'StaffPasswordSet'>): MailFacts | undefined =>
    data.how === undefined ? undefined : { change: 'password-changed' },
};

/** The first password of a customer is no news. */
export const passwordOfCustomerChanged = {
  kind: 'account-changed',
  customerId: ({ stream }: FactOf<'PasswordSet'>): string => idOf(stream),
  facts: ({ data }: FactOf<'PasswordSet'>): MailFacts | undefined =>
    data.told ? { change: 'password-changed' } : undefined,
} as const;

/** Who gives rights to others is told of new keys. */
export class Administrators extends Set<string> {
  note(fact: Fact): void {
    if (fact.type === 'StaffMemberRemoved') this.delete(fact.data.memberId);
    if (fact.type !== 'StaffMemberAdded' && fact.type !== 'StaffRolesChanged') return;
    const { memberId, roles } = fact.data;
    if (roles.includes('administrator')) this.add(memberId);
    else this.delete(memberId);
  }
}
