import { z } from 'zod';
import { type Decider, type Decision, refuse } from '../kernel/decider.ts';
import { type EventsOf, fact, type Instant } from '../kernel/events.ts';
import { id, keyedHash, randomTokenHash, sealedFor, secretFor } from '../kernel/fields.ts';
import { anyone, type RightsOf } from '../kernel/rights.ts';
import { registrationShape } from './customer.ts';

/**
 * Which customer has an e-mail address. A keyed hash of the address in lower case names the stream: it is the lock that
 * prevents two customers with one address, or with two that differ only in case (ACC-2).
 */
export const addressStream = (addressKey: string) => `address-${addressKey}` as const;

/** What a claim is for, with all that is needed to finish it if the request that made it does not. */
const purpose = z.discriminatedUnion('for', [
  z.object({
    for: z.literal('registration'),
    registration: z.object({ ...registrationShape, email: sealedFor('customer', 'email'), addressKey: keyedHash }),
    verifier: secretFor('customer', 'password-verifier').optional(),
  }),
  z.object({ for: z.literal('change'), tokenHash: randomTokenHash }),
]);
type Purpose = z.infer<typeof purpose>;

export const addressEvents = {
  AddressClaimed: fact({ customerId: id, purpose }),
  AddressReleased: fact({ customerId: id }),
};
type AddressEvent = EventsOf<typeof addressEvents>;

export type AddressCommand =
  | { type: 'ClaimAddress'; at: Instant; customerId: string; purpose: Purpose }
  | { type: 'ReleaseAddress'; at: Instant; customerId: string };

/** Steps of a registration or of a change of address. No route leads here. */
export const addressRights = {
  ClaimAddress: anyone,
  ReleaseAddress: anyone,
} satisfies RightsOf<AddressCommand, AddressState>;

interface AddressState {
  /** Undefined when the address is free. */
  readonly customerId?: string;
}

export const address: Decider<AddressState, AddressCommand, AddressEvent> = {
  initialState: () => ({}),

  decide(command, { customerId: holder }): Decision<AddressEvent> {
    if (command.type === 'ReleaseAddress') {
      const { type: _, ...data } = command;
      return holder === data.customerId ? [{ type: 'AddressReleased', data }] : [];
    }
    const { type: _, ...data } = command;
    if (holder === data.customerId) return [];
    return holder === undefined ? [{ type: 'AddressClaimed', data }] : addressTaken;
  },

  evolve: (_, event) => (event.type === 'AddressClaimed' ? { customerId: event.data.customerId } : {}),
};

export const addressTaken = refuse('address-taken', 'another account has this e-mail address', 'ACC-2');
