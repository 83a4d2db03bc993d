import { unsealed } from '#domain/kernel/events';
import type { EventTypeName } from '#domain/ledger';
import { businessOf } from '#test/boxes';
import { addressClaims } from './address-claims.ts';
import type { CommandWish } from './process.ts';

const START = '2026-05-01T10:00:00.000Z';
const SOON = '2026-05-01T10:00:01.000Z';
const LATER = '2026-05-01T10:01:00.000Z';
const ofBefore = { storeId: 'main', ...businessOf('A'), timeZone: 'UTC', addressKey: 'k1' };
const registration = { ...ofBefore, formerBusinessKeys: [] };

function driveClaims() {
  const state = addressClaims.initialState();
  let folded = 0;
  return {
    fold(stream: string, type: EventTypeName, data: object) {
      folded += 1;
      const fact = { type, stream, eventId: `event ${folded}`, revision: 0, position: String(folded), cause: {} };
      addressClaims.evolve(state, { ...fact, data: { at: START, ...data } } as never);
    },
    wishesAt: (now: string) =>
      addressClaims.next(state, { now, eventsSeen: 9, runs: () => true }, 100) as CommandWish[],
    refuse: (wish: CommandWish) =>
      addressClaims.refused?.(state, wish, { refused: true, code: 'link-invalid', message: '' } as never),
  };
}

describe('claims of e-mail addresses', () => {
  it('ACC-2: a claim whose registration did not follow is finished after a delay', () => {
    const { fold, wishesAt } = driveClaims();
    fold('address-k1', 'AddressClaimed', { customerId: 'c1', purpose: { for: 'registration', registration } });
    expect(wishesAt(SOON)).toEqual([]);
    const [wish, ...more] = wishesAt(LATER);
    expect(more).toEqual([]);
    expect(wish).toMatchObject({ stream: 'customer-c1', command: { type: 'RegisterCustomer', ...registration } });
    expect(wishesAt(LATER)).toEqual([]);
  });

  it('ACC-2: a claim of an older version, with the business plain, is given up', () => {
    const { fold, wishesAt } = driveClaims();
    const older = { ...ofBefore, businessAssociation: unsealed('A') };
    fold('address-k1', 'AddressClaimed', { customerId: 'c1', purpose: { for: 'registration', registration: older } });
    expect(wishesAt(LATER)).toMatchObject([
      { stream: 'address-k1', command: { type: 'ReleaseAddress', customerId: 'c1' } },
    ]);
  });

  it('ACC-2: a claim of an older version, with the business in its first form, is given up', () => {
    const { fold, wishesAt } = driveClaims();
    const purpose = { for: 'registration' as const, registration: ofBefore };
    fold('address-k1', 'AddressClaimed', { customerId: 'c1', purpose });
    expect(wishesAt(LATER)).toMatchObject([
      { stream: 'address-k1', command: { type: 'ReleaseAddress', customerId: 'c1' } },
    ]);
  });

  it('ACC-2: a claim with a registration needs nothing more', () => {
    const { fold, wishesAt } = driveClaims();
    fold('address-k1', 'AddressClaimed', { customerId: 'c1', purpose: { for: 'registration', registration } });
    fold('customer-c1', 'CustomerRegistered', registration);
    expect(wishesAt(LATER)).toEqual([]);
  });

  it('ACC-7: an order that came with the address is placed once its account is there, after a delay', () => {
    const { fold, wishesAt, refuse } = driveClaims();
    const order = { orderId: 'o1', order: { customerId: 'c1', quantity: 5 } };
    const purpose = { for: 'registration', registration, order };
    fold('address-k1', 'AddressClaimed', { customerId: 'c1', purpose });
    expect(wishesAt(LATER)).toMatchObject([{ stream: 'customer-c1', command: { type: 'RegisterCustomer' } }]);
    fold('customer-c1', 'CustomerRegistered', registration);
    expect(wishesAt(SOON)).toEqual([]);
    const [wish, ...more] = wishesAt(LATER);
    expect(more).toEqual([]);
    expect(wish).toMatchObject({ stream: 'order-o1', command: { type: 'PlacePromisedOrder', ...order.order } });
    refuse(wish as CommandWish);
    expect(wishesAt(LATER)).toEqual([]);
  });

  it('ACC-7: an order that was placed is not placed again', () => {
    const { fold, wishesAt } = driveClaims();
    const purpose = { for: 'registration', registration, order: { orderId: 'o1', order: { customerId: 'c1' } } };
    fold('address-k1', 'AddressClaimed', { customerId: 'c1', purpose });
    fold('customer-c1', 'CustomerRegistered', registration);
    fold('order-o1', 'OrderPlaced', { customerId: 'c1' });
    expect(wishesAt(LATER)).toEqual([]);
  });

  it('ACC-4: the address of a refused claim is released', () => {
    const { fold, wishesAt, refuse } = driveClaims();
    fold('address-k2', 'AddressClaimed', { customerId: 'c1', purpose: { for: 'change', tokenHash: 'h' } });
    const [wish] = wishesAt(LATER);
    expect(wish).toMatchObject({ command: { type: 'ConfirmEmailChange', tokenHash: 'h', claimedAt: START } });
    refuse(wish as CommandWish);
    expect(wishesAt(LATER)).toMatchObject([{ stream: 'address-k2', command: { type: 'ReleaseAddress' } }]);
  });

  it('ACC-4: the former address of a customer is released, but not when only its case changed', () => {
    const { fold, wishesAt } = driveClaims();
    fold('customer-c1', 'EmailChanged', { addressKey: 'k1', formerAddressKey: 'k1' });
    expect(wishesAt(SOON)).toEqual([]);
    fold('customer-c1', 'EmailChanged', { addressKey: 'k2', formerAddressKey: 'k1' });
    expect(wishesAt(SOON)).toMatchObject([
      { stream: 'address-k1', command: { type: 'ReleaseAddress', customerId: 'c1' } },
    ]);
    fold('address-k1', 'AddressReleased', { customerId: 'c1' });
    expect(wishesAt(SOON)).toEqual([]);
  });

  it('ACC-4: an address that its customer took back before the release is kept', () => {
    const { fold, wishesAt } = driveClaims();
    fold('customer-c1', 'EmailChanged', { addressKey: 'k2', formerAddressKey: 'k1' });
    fold('customer-c1', 'EmailChanged', { addressKey: 'k1', formerAddressKey: 'k2' });
    expect(wishesAt(SOON)).toMatchObject([{ stream: 'address-k2', command: { type: 'ReleaseAddress' } }]);
  });
});
