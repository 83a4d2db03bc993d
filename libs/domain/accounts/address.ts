import { z } from 'zod';
import { type Decider, type Decision, refuse } from '../kernel/decider.ts';
import { type EventsOf, fact, type Instant } from '../kernel/events.ts';
import { id, keyedHash, randomTokenHash, sealedFor, secretFor } from '../kernel/fields.ts';
import { addHours } from '../kernel/instants.ts';
import { anyone, type RightsOf } from '../kernel/rights.ts';
import { promisedOrder } from '../orders/order.ts';
import { registrationShape } from './customer.ts';
import { link } from './link.ts';

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
    confirmation: z.object(link).optional(),
    order: z
      .object({ orderId: id, order: promisedOrder })
      .optional()
      .describe('The order that came with the address (ACC-7). Absent: none.'),
  }),
  z.object({ for: z.literal('change'), tokenHash: randomTokenHash }),
]);
type Purpose = z.infer<typeof purpose>;

export const addressEvents = {
  AddressClaimed: fact({ customerId: id, purpose }),
  AddressReleased: fact({ customerId: id }),
  /** ACC-2: somebody tried to open another account with the address. Its customer is told, and nobody else. */
  HolderWarned: fact({ customerId: id }),
  /** ACC-4: a customer wants the address, and it gets a mail with a link. */
  AddressWanted: fact({ customerId: id }),
};
export type AddressEvent = EventsOf<typeof addressEvents>;

export type AddressCommand =
  | { type: 'ClaimAddress'; at: Instant; customerId: string; purpose: Purpose }
  | { type: 'ReleaseAddress'; at: Instant; customerId: string }
  | { type: 'WarnHolder'; at: Instant }
  | { type: 'WantAddress'; at: Instant; customerId: string };

/** So often an address is written to because strangers typed it in: they must not fill its mailbox. */
const HOURS_BETWEEN_WARNINGS = 24;
const LINKS_IN_24_HOURS = 3;

/** Steps of a registration, an order or a change of address. No route leads here. */
export const addressRights = {
  ClaimAddress: anyone,
  ReleaseAddress: anyone,
  WarnHolder: anyone,
  WantAddress: anyone,
} satisfies RightsOf<AddressCommand, AddressState>;

interface AddressState {
  /** Undefined when the address is free. */
  readonly customerId?: string | undefined;
  /** What its customer wanted it for. */
  readonly purpose?: Purpose | undefined;
  readonly warnedAt?: Instant;
  /** When it was wanted, the last times. */
  readonly wantedAt: readonly Instant[];
}

export const address: Decider<AddressState, AddressCommand, AddressEvent> = {
  initialState: () => ({ wantedAt: [] }),

  decide(command, state): Decision<AddressEvent> {
    const { customerId: holder } = state;
    switch (command.type) {
      case 'ClaimAddress':
        return claim(command, holder);
      case 'ReleaseAddress':
        return holder === command.customerId
          ? [{ type: 'AddressReleased', data: { at: command.at, customerId: holder } }]
          : [];
      case 'WarnHolder':
        return warnHolder(command.at, state);
      case 'WantAddress':
        return wantAddress(command, state);
    }
  },

  evolve(state, event) {
    switch (event.type) {
      case 'AddressClaimed':
        return { ...state, customerId: event.data.customerId, purpose: event.data.purpose };
      case 'AddressReleased':
        return { ...state, customerId: undefined, purpose: undefined };
      case 'HolderWarned':
        return { ...state, warnedAt: event.data.at };
      case 'AddressWanted':
        return { ...state, wantedAt: [...state.wantedAt, event.data.at].slice(-LINKS_IN_24_HOURS) };
    }
  },
};

type Command<Type extends AddressCommand['type']> = Extract<AddressCommand, { type: Type }>;

function claim({ type: _, ...data }: Command<'ClaimAddress'>, holder: string | undefined): Decision<AddressEvent> {
  if (holder === data.customerId) return [];
  return holder === undefined ? [{ type: 'AddressClaimed', data }] : addressTaken;
}

function warnHolder(at: Instant, { customerId, warnedAt }: AddressState): Decision<AddressEvent> {
  const isWarned = warnedAt !== undefined && at < addHours(warnedAt, HOURS_BETWEEN_WARNINGS);
  return customerId === undefined || isWarned ? [] : [{ type: 'HolderWarned', data: { at, customerId } }];
}

function wantAddress({ at, customerId }: Command<'WantAddress'>, { wantedAt }: AddressState): Decision<AddressEvent> {
  const isTooOften = wantedAt.length === LINKS_IN_24_HOURS && at < addHours(wantedAt[0] as Instant, 24);
  return isTooOften ? tooManyLinks : [{ type: 'AddressWanted', data: { at, customerId } }];
}

const tooManyLinks = refuse(
  'too-many-links',
  'this address was sent several links in the last 24 hours: open the newest one, or ask again tomorrow',
  'ACC-2',
);

export const addressTaken = refuse('address-taken', 'another account has this e-mail address', 'ACC-2');
