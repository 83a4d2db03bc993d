/** Every kind of mail that a store sends (NTF-1). */
export const mailKinds = [
  'order-confirmed',
  'order-cancelled',
  'payment-declined',
  'refund-made',
  'refund-returned',
  'receipt-issued',
  'payment-to-confirm',
  'leads-delivered',
  'order-restarted',
  'renewal-coming',
  'renewal-done',
  'renewal-skipped',
  'programme-held',
  'programme-cancelled',
  'chargeback-granted',
  'chargeback-denied',
  'verdict-corrected',
  'replacement-delivered',
  'password-recovery',
  'address-confirmation',
  'address-change',
  'address-changed',
  'account-exists',
  'ticket-answered',
  'person-suppressed',
  'staff-invitation',
  'account-changed',
] as const;
export type MailKind = (typeof mailKinds)[number];

/** Mails that a customer cannot switch off (NTF-2). */
export const alwaysSent: ReadonlySet<MailKind> = new Set([
  'payment-declined',
  'refund-made',
  'refund-returned',
  'payment-to-confirm',
  'chargeback-granted',
  'chargeback-denied',
  'verdict-corrected',
  'password-recovery',
  'address-confirmation',
  'address-change',
  'address-changed',
  'account-exists',
  'person-suppressed',
  'staff-invitation',
  'account-changed',
]);

/** Mails with a link that somebody waits for, at a page of the store: they are sent before all others. */
export const awaitedMails: ReadonlySet<MailKind> = new Set([
  'password-recovery',
  'address-confirmation',
  'address-change',
]);

/** Mails that staff write. All others are automatic, and say so in their headers. */
export const mailsByPersons: ReadonlySet<MailKind> = new Set(['ticket-answered']);

/** What the owner of an account is told of, because somebody else may have done it. */
export const accountChanges = [
  'factor-added',
  'factor-removed',
  'passkey-added',
  'passkey-removed',
  'factors-reset',
  'recovery-codes-issued',
  'recovery-code-used',
  'password-changed',
  'roles-changed',
  'api-key-issued',
  'new-browser',
  'sessions-ended',
] as const;
export type AccountChange = (typeof accountChanges)[number];
