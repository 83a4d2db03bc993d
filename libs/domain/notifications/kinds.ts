/** Every kind of mail that a store sends (NTF-1). */
export const mailKinds = [
  'order-confirmed',
  'payment-declined',
  'payment-to-confirm',
  'leads-delivered',
  'order-restarted',
  'renewal-coming',
  'renewal-done',
  'programme-held',
  'chargeback-granted',
  'chargeback-denied',
  'replacement-delivered',
  'password-recovery',
  'address-change',
  'ticket-answered',
] as const;
export type MailKind = (typeof mailKinds)[number];

/** Mails that a customer cannot switch off (NTF-2). */
export const alwaysSent: ReadonlySet<MailKind> = new Set([
  'payment-declined',
  'payment-to-confirm',
  'chargeback-granted',
  'chargeback-denied',
  'password-recovery',
  'address-change',
]);
