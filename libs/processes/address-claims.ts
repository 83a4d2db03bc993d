import { addressStream } from '#domain/accounts/address';
import { customerStream } from '#domain/accounts/customer';
import { type FactOf, idOf } from '#domain/codec';
import { DueList } from '#domain/kernel/due-list';
import { deriveId } from '#domain/kernel/ids';
import { addSeconds, earliest } from '#domain/kernel/instants';
import { type AnyCommand, familyOf } from '#domain/ledger';
import { orderStream } from '#domain/orders/order';
import { type CommandWish, defineProcess, takeFrom, type Untimed } from './process.ts';

/** A request that claims an address also finishes the claim. After this time that request has failed. */
const FINISH_AFTER_SECONDS = 30;

interface Release {
  readonly customerId: string;
  readonly because: FactOf<'EmailChanged' | 'AddressClaimed'>;
}

type ClaimedOrder = NonNullable<Extract<FactOf<'AddressClaimed'>['data']['purpose'], { for: 'registration' }>['order']>;

/** The order that came with the address of a new account (ACC-7). */
interface Promised extends ClaimedOrder {
  readonly claimed: FactOf<'AddressClaimed'>;
}

interface Claims {
  /** Address → its claim, until the customer has the address. */
  readonly open: DueList<FactOf<'AddressClaimed'>>;
  /** Customer → the order that came with the claim, until the account is there. */
  readonly withOrder: Map<string, Promised>;
  /** Order → what was claimed with it, from then on until the order is there. */
  readonly orders: DueList<Promised>;
  /** Address → the customer who does not need it any more. */
  readonly releases: Map<string, Release>;
}

/**
 * Finishes claims of e-mail addresses, and the orders that came with them, where the request that made them did not, and releases
 * addresses that no customer uses any more (ACC-2, ACC-4, ACC-7).
 */
export const addressClaims = defineProcess({
  name: 'address-claims',
  eventTypes: ['AddressClaimed', 'AddressReleased', 'CustomerRegistered', 'EmailChanged', 'OrderPlaced'],
  initialState: (): Claims => ({
    open: new DueList(),
    withOrder: new Map(),
    orders: new DueList(),
    releases: new Map(),
  }),

  evolve(claims, fact) {
    const id = idOf(fact.stream);
    switch (fact.type) {
      case 'AddressClaimed':
        claims.open.put(id, fact, addSeconds(fact.data.at, FINISH_AFTER_SECONDS), fact.data.at);
        noteOrder(claims, fact);
        break;
      case 'AddressReleased':
        claims.releases.delete(id);
        break;
      case 'CustomerRegistered':
        noteHolder(claims, id, fact.data.addressKey);
        noteAccount(claims, id);
        break;
      case 'EmailChanged':
        noteHolder(claims, id, fact.data.addressKey);
        noteFormerAddress(claims, fact);
        break;
      case 'OrderPlaced':
        claims.orders.remove(id);
        break;
    }
  },

  next({ open, orders, releases }, { now }, limit) {
    const released = takeFrom(releases, limit).map(([addressKey, release]) => releaseAddress(addressKey, release));
    const placed = orders.take(now, limit - released.length).map(placeOrder);
    const ended = [...released, ...placed];
    return [...ended, ...open.take(now, limit - ended.length).map(endClaim)];
  },

  /** The claim failed: the address is free again. */
  refused({ releases, withOrder }, { because, stream }) {
    if (because?.type !== 'AddressClaimed' || familyOf(stream) !== 'customer') return;
    const { customerId } = (because as FactOf<'AddressClaimed'>).data;
    withOrder.delete(customerId);
    releases.set(idOf(because.stream), { customerId, because });
  },

  wakeAt: ({ open, orders }) => earliest([open.nextDueAt(), orders.nextDueAt()]),
});

/** The customer has the address that it claimed. */
function noteHolder({ open }: Claims, customerId: string, addressKey: string | undefined): void {
  if (addressKey === undefined) return;
  if (open.get(addressKey)?.data.customerId === customerId) open.remove(addressKey);
}

function noteOrder({ withOrder }: Claims, claimed: FactOf<'AddressClaimed'>): void {
  const { customerId, purpose } = claimed.data;
  if (purpose.for === 'registration' && purpose.order) withOrder.set(customerId, { ...purpose.order, claimed });
}

/** The account of an order is there. */
function noteAccount({ withOrder, orders }: Claims, customerId: string): void {
  const promised = withOrder.get(customerId);
  if (!promised) return;
  withOrder.delete(customerId);
  const { at } = promised.claimed.data;
  orders.put(promised.orderId, promised, addSeconds(at, FINISH_AFTER_SECONDS), at);
}

function noteFormerAddress({ releases }: Claims, changed: FactOf<'EmailChanged'>): void {
  const { addressKey, formerAddressKey } = changed.data;
  // A customer may take its former address back before it is released.
  releases.delete(addressKey);
  if (formerAddressKey === undefined || formerAddressKey === addressKey) return;
  releases.set(formerAddressKey, { customerId: idOf(changed.stream), because: changed });
}

const releaseAddress = (addressKey: string, { customerId, because }: Release): CommandWish => ({
  commandId: deriveId('ReleaseAddress', because.eventId),
  stream: addressStream(addressKey),
  command: { type: 'ReleaseAddress', customerId },
  because,
});

/**
 * A claim of an older version has the name of the business plain, or a key of its first form. It was never confirmed to its
 * customer, who may register again.
 */
const endClaim = (claimed: FactOf<'AddressClaimed'>): CommandWish => {
  const { customerId, purpose } = claimed.data;
  if (purpose.for === 'registration' && purpose.registration.formerBusinessKeys === undefined)
    return releaseAddress(idOf(claimed.stream), { customerId, because: claimed });
  return finishClaim(claimed);
};

const finishClaim = (claimed: FactOf<'AddressClaimed'>): CommandWish => ({
  commandId: deriveId('FinishClaim', claimed.eventId),
  stream: customerStream(claimed.data.customerId),
  command: commandThatFinishes(claimed.data),
  because: claimed,
});

function commandThatFinishes({ at: claimedAt, purpose }: FactOf<'AddressClaimed'>['data']): Untimed<AnyCommand> {
  if (purpose.for === 'change') return { type: 'ConfirmEmailChange', tokenHash: purpose.tokenHash, claimedAt };
  const { registration, verifier, confirmation } = purpose;
  return {
    ...{ type: 'RegisterCustomer', ...registration },
    ...(verifier && { verifier }),
    ...(confirmation && { confirmation }),
  };
}

const placeOrder = ({ claimed, orderId, order }: Promised): CommandWish => ({
  commandId: deriveId('PlaceClaimedOrder', claimed.eventId),
  stream: orderStream(orderId),
  command: { type: 'PlacePromisedOrder', ...order },
  because: claimed,
});
