import { addressStream } from '#domain/accounts/address';
import { customerStream } from '#domain/accounts/customer';
import { type FactOf, idOf } from '#domain/codec';
import { DueList } from '#domain/kernel/due-list';
import { deriveId } from '#domain/kernel/ids';
import { addSeconds } from '#domain/kernel/instants';
import type { AnyCommand } from '#domain/ledger';
import { type CommandWish, defineProcess, takeFrom, type Untimed } from './process.ts';

/** A request that claims an address also finishes the claim. After this time that request has failed. */
const FINISH_AFTER_SECONDS = 30;

interface Release {
  readonly customerId: string;
  readonly because: FactOf<'EmailChanged' | 'AddressClaimed'>;
}

interface Claims {
  /** Address → its claim, until the customer has the address. */
  readonly open: DueList<FactOf<'AddressClaimed'>>;
  /** Address → the customer who does not need it any more. */
  readonly releases: Map<string, Release>;
}

/**
 * Finishes claims of e-mail addresses where the request that made them did not, and releases addresses that no customer
 * uses any more (ACC-2, ACC-4).
 */
export const addressClaims = defineProcess({
  name: 'address-claims',
  eventTypes: ['AddressClaimed', 'AddressReleased', 'CustomerRegistered', 'EmailChanged'],
  initialState: (): Claims => ({ open: new DueList(), releases: new Map() }),

  evolve(claims, fact) {
    const id = idOf(fact.stream);
    switch (fact.type) {
      case 'AddressClaimed':
        claims.open.put(id, fact, addSeconds(fact.data.at, FINISH_AFTER_SECONDS), fact.data.at);
        break;
      case 'AddressReleased':
        claims.releases.delete(id);
        break;
      case 'CustomerRegistered':
        noteHolder(claims, id, fact.data.addressKey);
        break;
      case 'EmailChanged':
        noteHolder(claims, id, fact.data.addressKey);
        noteFormerAddress(claims, fact);
        break;
    }
  },

  next({ open, releases }, { now }, limit) {
    const released = takeFrom(releases, limit).map(([addressKey, release]) => releaseAddress(addressKey, release));
    return [...released, ...open.take(now, limit - released.length).map(endClaim)];
  },

  /** The claim failed: the address is free again. */
  refused({ releases }, { because }) {
    if (because?.type !== 'AddressClaimed') return;
    const { customerId } = (because as FactOf<'AddressClaimed'>).data;
    releases.set(idOf(because.stream), { customerId, because });
  },

  wakeAt: ({ open }) => open.nextDueAt(),
});

/** The customer has the address that it claimed. */
function noteHolder({ open }: Claims, customerId: string, addressKey: string | undefined): void {
  if (addressKey === undefined) return;
  if (open.get(addressKey)?.data.customerId === customerId) open.remove(addressKey);
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
  const { registration, verifier } = purpose;
  return { type: 'RegisterCustomer', ...registration, ...(verifier && { verifier }) };
}
