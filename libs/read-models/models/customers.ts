import { businessKey } from '#domain/accounts/customer';
import { idOf } from '#domain/codec';
import { type Model, table } from '../engine/model.ts';

export interface CustomerRow {
  readonly customerId: string;
  readonly storeId: string;
  readonly businessAssociation: string;
  /** What businesses are compared by (DLV-3). */
  readonly businessKey: string;
  readonly timeZone: string;
  readonly registeredAt: string;
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
    revision: 'integer',
  },
  indexes: ['registered_at DESC, customer_id DESC'],
});

const eventTypes = ['CustomerRegistered', 'BusinessAssociationChanged', 'TimeZoneChanged'] as const;

export const customers: Model<(typeof eventTypes)[number]> = {
  name: 'customers',
  version: 1,
  tables: [customerTable],
  eventTypes,
  keysOf: ({ stream }) => [[customerTable, idOf(stream)]],

  evolve(rows, fact) {
    const { stream, revision, data, type } = fact;
    const customerId = idOf(stream);
    if (type === 'CustomerRegistered') {
      const { at: registeredAt, storeId, businessAssociation, timeZone } = data;
      const key = businessKey(businessAssociation);
      rows.put(customerTable, {
        customerId,
        storeId,
        businessAssociation,
        businessKey: key,
        timeZone,
        registeredAt,
        revision,
      });
      return;
    }
    const row = rows.get(customerTable, customerId);
    if (!row) throw new Error(`${type} of a customer who was never registered`);
    if (type === 'TimeZoneChanged') rows.put(customerTable, { ...row, timeZone: data.timeZone, revision });
    else {
      const { businessAssociation } = data;
      rows.put(customerTable, { ...row, businessAssociation, businessKey: businessKey(businessAssociation), revision });
    }
  },
};
