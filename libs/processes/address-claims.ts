import { addressStream } from '#domain/accounts/address';
import { customerStream } from '#domain/accounts/customer';
import { type FactOf, idOf } from '#domain/codec';
import { type Heap, heapOf, type Placed } from '#domain/kernel/heap';
import { deriveId } from '#domain/kernel/ids';
import { addSeconds } from '#domain/kernel/instants';
import type { AnyCommand } from '#domain/ledger';
import type { CommandWish, Process, Untimed } from './process.ts';

/** Whoever claims an address goes on at once; after so long it is taken for dead. */
const FINISH_AFTER_SECONDS = 30;

/**
 * Brings claims of e-mail addresses to their end where whoever made them did not get there, and gives up addresses that
 * nobody has any more (ACC-2, ACC-4).
 */
export const addressClaims: Process<Claims, (typeof eventTypes)[number]> = {
  name: 'address-claims',
  get eventTypes() {
    return eventTypes;
  },
  initialState: () => ({
    open: new Map(),
    byTime: heapOf((a, b) => (finishAt(a) < finishAt(b) ? -1 : 1)),
    releases: new Map(),
  }),

  evolve({ open, byTime, releases }, fact) {
    if (fact.type === 'AddressClaimed') {
      const addressKey = idOf(fact.stream);
      const claim = { addressKey, claimed: fact, place: -1 };
      open.set(addressKey, claim);
      byTime.put(claim);
      return;
    }
    if (fact.type === 'AddressReleased') {
      releases.delete(idOf(fact.stream));
      return;
    }
    const { addressKey } = fact.data;
    const claim = addressKey === undefined ? undefined : open.get(addressKey);
    if (claim && claim.claimed.data.customerId === idOf(fact.stream)) {
      byTime.remove(claim);
      open.delete(claim.addressKey);
    }
    if (fact.type !== 'EmailChanged') return;
    const { formerAddressKey: former } = fact.data;
    // Taken back before it was given up: nobody else holds what waits here to be released.
    releases.delete(fact.data.addressKey);
    if (former !== undefined && former !== addressKey)
      releases.set(former, { customerId: idOf(fact.stream), because: fact });
  },

  next({ open, byTime, releases }, { now }, limit) {
    const wishes: CommandWish[] = [];
    for (const [addressKey, { customerId, because }] of releases) {
      if (wishes.length >= limit) break;
      releases.delete(addressKey);
      wishes.push({
        commandId: deriveId('ReleaseAddress', because.eventId),
        stream: addressStream(addressKey),
        command: { type: 'ReleaseAddress', customerId },
        because,
      });
    }
    for (let first = byTime.first(); first && finishAt(first) <= now; first = byTime.first()) {
      if (wishes.length >= limit) break;
      byTime.remove(first);
      open.delete(first.addressKey);
      const { claimed } = first;
      wishes.push({
        commandId: deriveId('FinishClaim', claimed.eventId),
        stream: customerStream(claimed.data.customerId),
        command: finishing(claimed),
        because: claimed,
      });
    }
    return wishes;
  },

  /** What was claimed for nothing is free again. */
  refused({ releases }, { because }) {
    if (because?.type !== 'AddressClaimed') return;
    const { customerId } = (because as FactOf<'AddressClaimed'>).data;
    releases.set(idOf(because.stream), { customerId, because });
  },

  wakeAt: ({ byTime }) => {
    const first = byTime.first();
    return first && finishAt(first);
  },
};

const eventTypes = ['AddressClaimed', 'AddressReleased', 'CustomerRegistered', 'EmailChanged'] as const;

interface Claim extends Placed {
  readonly addressKey: string;
  readonly claimed: FactOf<'AddressClaimed'>;
}

interface Claims {
  readonly open: Map<string, Claim>;
  readonly byTime: Heap<Claim>;
  /** Address → who gives it up. */
  readonly releases: Map<string, { customerId: string; because: FactOf<'EmailChanged' | 'AddressClaimed'> }>;
}

const finishAt = ({ claimed }: Claim): string => addSeconds(claimed.data.at, FINISH_AFTER_SECONDS);

function finishing({ data }: FactOf<'AddressClaimed'>): Untimed<AnyCommand> {
  const { purpose } = data;
  if (purpose.for === 'change') return { type: 'ConfirmEmailChange', tokenHash: purpose.tokenHash, claimedAt: data.at };
  const { registration, verifier } = purpose;
  return { type: 'RegisterCustomer', ...registration, ...(verifier && { verifier }) };
}
