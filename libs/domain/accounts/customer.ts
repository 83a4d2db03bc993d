import { z } from 'zod';
import { type Decider, type Decision, refuse } from '../kernel/decider.ts';
import { type EventsOf, fact, type Instant } from '../kernel/events.ts';

/** A customer in the simplest form: whom it buys from, whom it works for, and where its day begins (ACC-5). */
export const customerStream = (customerId: string) => `customer-${customerId}` as const;

export const customerEvents = {
  CustomerRegistered: fact({
    storeId: z.string(),
    businessAssociation: z.string(),
    timeZone: z.string(),
  }),
  BusinessAssociationChanged: fact({ businessAssociation: z.string() }),
  TimeZoneChanged: fact({ timeZone: z.string() }),
};
export type CustomerEvent = EventsOf<typeof customerEvents>;

export type CustomerCommand =
  | { type: 'RegisterCustomer'; at: Instant; storeId: string; businessAssociation: string; timeZone: string }
  | { type: 'ChangeBusinessAssociation'; at: Instant; businessAssociation: string }
  | { type: 'ChangeTimeZone'; at: Instant; timeZone: string };

export interface CustomerState {
  readonly storeId: string;
  readonly businessAssociation: string;
  readonly timeZone: string;
}

const nobody: CustomerState = { storeId: '', businessAssociation: '', timeZone: '' };
const notRegistered = refuse('customer-unknown', 'there is no such customer');

export const customer: Decider<CustomerState, CustomerCommand, CustomerEvent> = {
  initialState: () => nobody,

  decide(command, state): Decision<CustomerEvent> {
    const { type, ...data } = command;
    switch (type) {
      case 'RegisterCustomer': {
        const { storeId, businessAssociation, timeZone, at } = command;
        if (isRegistered(state))
          return state.storeId === storeId &&
            state.businessAssociation === businessAssociation &&
            state.timeZone === timeZone
            ? []
            : refuse('customer-registered', 'this customer is registered already, with other details');
        return (
          refuseBusiness(businessAssociation) ?? [
            { type: 'CustomerRegistered', data: { at, storeId, businessAssociation, timeZone } },
          ]
        );
      }
      case 'ChangeBusinessAssociation': {
        if (!isRegistered(state)) return notRegistered;
        const { businessAssociation } = command;
        if (businessAssociation === state.businessAssociation) return [];
        return (
          refuseBusiness(businessAssociation) ?? [
            { type: 'BusinessAssociationChanged', data: { at: data.at, businessAssociation } },
          ]
        );
      }
      case 'ChangeTimeZone': {
        if (!isRegistered(state)) return notRegistered;
        if (command.timeZone === state.timeZone) return [];
        return [{ type: 'TimeZoneChanged', data: { at: data.at, timeZone: command.timeZone } }];
      }
    }
  },

  evolve: (state, event) => ({ ...state, ...event.data }),
};

export const isRegistered = (state: CustomerState): boolean => state.storeId !== '';

/**
 * What DLV-3 compares: a business's name without regard to case, spacing and punctuation. "A.B.C. Vitamins" and
 * "abc vitamins" are one business.
 */
export const businessKey = (businessAssociation: string): string =>
  businessAssociation
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{Letter}\p{Number}]/gu, '');

const refuseBusiness = (businessAssociation: string) =>
  businessKey(businessAssociation) === ''
    ? refuse('business-association-empty', 'a business association has at least one letter or digit', 'ACC-5')
    : undefined;
