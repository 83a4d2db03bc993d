/** Free text that is stored as it is. */
interface PlainText {
  readonly what: string;
  /** Who writes it. */
  readonly writer: string;
  /** `EventType.path`, or `metadata.path`. */
  readonly fields: readonly string[];
}

/**
 * Every field that keeps free text plain today, and is to be sealed. A test lets this list only shrink. A new field is
 * sealed (`sealedFor`), or its text is of another kind (`libs/domain/kernel/fields.ts`).
 */
export const plainToday: readonly PlainText[] = [
  {
    what: 'why a return was denied',
    writer: 'support',
    fields: ['ChargebackDenied.explanation'],
  },
  {
    what: 'facts of a mail, among them the explanation of a denied return and the reason of a declined payment',
    writer: 'support, and the payment provider',
    fields: ['MailWished.facts.*'],
  },
  {
    what: 'the token of a payment card at the payment provider; whoever has the key of the store can charge it',
    writer: 'the payment provider, through the customer',
    fields: ['OrderPlaced.paymentToken', 'PaymentCardChanged.paymentToken', 'RenewalBegun.charge.token'],
  },
  {
    what: 'why a payment was declined',
    writer: 'the payment provider',
    fields: ['PaymentDeclined.reason', 'RenewalDeclined.reason'],
  },
  {
    what: 'who asked; `staff:` is followed by a name of a person',
    writer: 'the caller',
    fields: ['metadata.actor', 'PolicyPublished.author'],
  },
  {
    what: 'why it was asked, in the words of the caller',
    writer: 'the caller',
    fields: ['metadata.reason'],
  },
];
