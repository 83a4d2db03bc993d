import { businessKey } from '#domain/accounts/customer';
import { type FactOf, idOf } from '#domain/codec';
import type { Sealed } from '#domain/kernel/events';
import { type Model, table } from '../engine/model.ts';

export interface CustomerRow {
  readonly customerId: string;
  readonly storeId: string;
  readonly businessAssociation: string;
  /** What businesses are compared by (DLV-3). */
  readonly businessKey: string;
  readonly timeZone: string;
  readonly registeredAt: string;
  /** Of the text of the address. */
  readonly email: Sealed | null;
  /** An address that waits to be confirmed from there (ACC-4). */
  readonly newEmail: Sealed | null;
  readonly name: Sealed | null;
  readonly postalAddress: Sealed | null;
  readonly hasPassword: boolean;
  /** Kinds of mails that the customer does not want (NTF-2). */
  readonly mailsOff: readonly string[];
  /** Of the customer's stream. */
  readonly revision: number;
}

export const customerTable = table<CustomerRow>({
  name: 'customers',
  key: 'customerId',
  columns: {
    customerId: 'text',
    storeId: 'text',
    businessAssociation: 'text',
    businessKey: 'text',
    timeZone: 'text',
    registeredAt: 'timestamptz',
    email: 'jsonb',
    newEmail: 'jsonb',
    name: 'jsonb',
    postalAddress: 'jsonb',
    hasPassword: 'boolean',
    mailsOff: 'jsonb',
    revision: 'integer',
  },
  indexes: ['registered_at DESC, customer_id DESC', 'store_id, registered_at DESC, customer_id DESC'],
});

const eventTypes = [
  'CustomerRegistered',
  'BusinessAssociationChanged',
  'TimeZoneChanged',
  'NameChanged',
  'PostalAddressChanged',
  'EmailChangeRequested',
  'EmailChanged',
  'PasswordSet',
  'PasswordRecoveryRequested',
  'MailPreferencesChanged',
] as const;

export const customers: Model<(typeof eventTypes)[number]> = {
  name: 'customers',
  version: 3,
  tables: [customerTable],
  eventTypes,
  keysOf: ({ stream }) => [[customerTable, idOf(stream)]],

  evolve(rows, fact) {
    const customerId = idOf(fact.stream);
    const row = fact.type === 'CustomerRegistered' ? registered(customerId, fact) : rows.get(customerTable, customerId);
    if (!row) throw new Error(`${fact.type} of a customer who was never registered`);
    rows.put(customerTable, { ...row, ...changeBy(fact), revision: fact.revision });
  },
};

function registered(customerId: string, { data, revision }: FactOf<'CustomerRegistered'>): CustomerRow {
  const { at: registeredAt, storeId, businessAssociation, timeZone, email, name, postalAddress } = data;
  return {
    customerId,
    storeId,
    businessAssociation,
    businessKey: businessKey(businessAssociation),
    timeZone,
    registeredAt,
    email: email ?? null,
    newEmail: null,
    name: name ?? null,
    postalAddress: postalAddress ?? null,
    hasPassword: false,
    mailsOff: [],
    revision,
  };
}

function changeBy({ type, data }: FactOf<(typeof eventTypes)[number]>): Partial<CustomerRow> {
  switch (type) {
    case 'BusinessAssociationChanged': {
      const { businessAssociation } = data;
      return { businessAssociation, businessKey: businessKey(businessAssociation) };
    }
    case 'TimeZoneChanged':
      return { timeZone: data.timeZone };
    case 'NameChanged':
      return { name: data.name };
    case 'PostalAddressChanged':
      return { postalAddress: data.postalAddress };
    case 'EmailChangeRequested':
      return { newEmail: data.email };
    case 'EmailChanged':
      return { email: data.email, newEmail: null };
    case 'PasswordSet':
      return { hasPassword: true };
    case 'MailPreferencesChanged':
      return { mailsOff: data.off };
    default:
      return {};
  }
}
