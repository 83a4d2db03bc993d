import type { FactOf } from '#domain/codec';
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
