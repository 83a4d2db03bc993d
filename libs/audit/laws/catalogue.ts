import type { RawEvent } from './raw-log.ts';

const CATALOGUE = 'catalogue-main';

interface Offer {
  /** The revision of the catalogue from which it is so. */
  readonly since: number;
  readonly sold: boolean;
  readonly exclusive: boolean;
  readonly qualifies: boolean;
}

/** What each event of the catalogue changes in the offer of a lead type. */
const changes: Readonly<Record<string, (data: RawEvent['data']) => Partial<Offer>>> = {
  LeadTypeDefined: ({ exclusivity, qualifiesForLoyaltyRewards }) => ({
    ...{ sold: true, exclusive: exclusivity === 'exclusive', qualifies: qualifiesForLoyaltyRewards === true },
  }),
  LoyaltyQualificationChanged: ({ qualifiesForLoyaltyRewards }) => ({ qualifies: qualifiesForLoyaltyRewards === true }),
  LeadTypeRetired: () => ({ sold: false }),
  LeadTypeReopened: () => ({ sold: true }),
};

const nothingYet = { sold: false, exclusive: false, qualifies: false };

/**
 * Checks that nothing is sold that is retired or does not qualify (CAT-4, CAT-5). A sale is judged by the catalogue that was read
 * for it, as its basis says: a type may be retired at the same moment. What names no catalogue is not judged: the order of a
 * checkout keeps what was shown. Shares no code with the deciders.
 */
export class CatalogueCheck {
  readonly #offers = new Map<string, Offer[]>();
  readonly #retiredCoupons = new Set<string>();

  /** Must receive all events in the order of the log. @returns the laws that this event breaks */
  take({ stream, id, type, revision, data, cause }: RawEvent): readonly 'notOffered'[] {
    const change = stream === CATALOGUE && Object.hasOwn(changes, type) ? changes[type] : undefined;
    if (change) this.#note(data.leadTypeId, revision, change(data));
    if (type === 'CouponRetired') this.#retiredCoupons.add(id);
    if (type === 'CouponReopened') this.#retiredCoupons.delete(id);
    const isSound =
      (type !== 'CouponUsed' || !this.#retiredCoupons.has(id)) &&
      (!/^(OrderPlaced|CheckoutStarted)$/.test(type) || this.#wasOffered(data, cause.basis));
    return isSound ? [] : ['notOffered'];
  }

  #note(leadTypeId: string, since: number, change: Partial<Offer>): void {
    const offers = this.#offers.get(leadTypeId) ?? [];
    this.#offers.set(leadTypeId, [...offers, { ...nothingYet, ...offers.at(-1), ...change, since }]);
  }

  #wasOffered({ leadTypeId, loyalty }: RawEvent['data'], basis: unknown): boolean {
    const read = (basis as Readonly<Record<string, unknown>> | undefined)?.[CATALOGUE];
    if (typeof read !== 'number') return true;
    const offer = this.#offers.get(leadTypeId)?.findLast(({ since }) => since <= read);
    return offer?.sold === true && (!loyalty || offer.exclusive || offer.qualifies);
  }
}
