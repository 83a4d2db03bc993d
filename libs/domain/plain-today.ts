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
    what: 'the business association of a customer, and its form without case, spaces and punctuation; it may be the name of a person',
    writer: 'the customer',
    fields: [
      'CustomerRegistered.businessAssociation',
      'BusinessAssociationChanged.businessAssociation',
      'AddressClaimed.purpose.registration.businessAssociation',
      'LeadAssigned.businessKey',
      'LeadDelivered.businessKey',
    ],
  },
  {
    what: 'a code that was tried and refused: any text',
    writer: 'the customer',
    fields: ['CouponRefused.code'],
  },
  {
    what: 'where a lead comes from; the name of a list or of a campaign may contain a name of a person',
    writer: 'the source of the lead',
    fields: ['LeadReceived.source'],
  },
];
