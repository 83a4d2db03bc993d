import { given, minute } from '#test/given';
import { type CatalogueCommand, type CatalogueEvent, catalogue, type LeadType, priceAt } from './catalogue.ts';

const store = { storeId: 'main', name: 'Main', webAddress: 'https://main.example' };
const aged: LeadType = {
  leadTypeId: 'shared-aged',
  name: 'Shared aged leads',
  exclusivity: 'shared',
  freshness: 'aged',
  usualDelivery: 'a few business days',
  qualifiesForLoyaltyRewards: false,
};
const fresh: LeadType = { ...aged, leadTypeId: 'shared-fresh', freshness: 'fresh', agesInto: 'shared-aged' };
const price = {
  storeId: 'main',
  leadTypeId: 'shared-aged',
  pricePerLeadCents: 100,
  currency: 'USD',
  smallestOrder: 1,
  largestOrder: 10,
  effectiveFrom: minute(5),
};
const opened: CatalogueEvent = { type: 'StoreOpened', data: { at: minute(0), ...store } };
const defined = (leadType: LeadType): CatalogueEvent => ({
  type: 'LeadTypeDefined',
  data: { at: minute(1), ...leadType },
});
const define = (leadType: LeadType): CatalogueCommand => ({ type: 'DefineLeadType', at: minute(1), ...leadType });
const set = (change: Partial<typeof price> = {}): CatalogueCommand => ({
  type: 'SetPrice',
  at: minute(2),
  ...price,
  ...change,
});
const priceSet = (change: Partial<typeof price> = {}): CatalogueEvent => ({
  type: 'PriceSet',
  data: { at: minute(2), ...price, ...change },
});

describe('the catalogue', () => {
  it('STO-1: opens a store once and never changes it', () => {
    given(catalogue)
      .when({ type: 'OpenStore', at: minute(0), ...store })
      .thenRecords(opened);
    given(catalogue, opened)
      .when({ type: 'OpenStore', at: minute(9), ...store, name: 'Other' })
      .thenRefuses('store-exists', 'STO-1');
  });

  it('STO-2: has one descriptor for card statements', () => {
    given(catalogue)
      .when({ type: 'SetStatementDescriptor', at: minute(0), descriptor: 'LEADGER' })
      .thenRecords({ type: 'StatementDescriptorSet', data: { at: minute(0), descriptor: 'LEADGER' } });
  });

  it('CAT-1, CAT-2: defines a lead type once and never changes it', () => {
    given(catalogue).when(define(aged)).thenRecords(defined(aged));
    given(catalogue, defined(aged))
      .when(define({ ...aged, usualDelivery: 'at once' }))
      .thenRefuses('lead-type-exists', 'CAT-1');
  });

  it('DLV-6: lets leads age into the next freshness of the same exclusivity', () => {
    given(catalogue, defined(aged)).when(define(fresh)).thenRecords(defined(fresh));
    given(catalogue).when(define(fresh)).thenRefuses('unknown-lead-type', 'CAT-1');
    given(catalogue, defined(aged))
      .when(define({ ...fresh, exclusivity: 'exclusive' }))
      .thenRefuses('ages-into-wrong-type', 'DLV-6');
    given(catalogue, defined(aged))
      .when(define({ ...fresh, freshness: 'real-time' }))
      .thenRefuses('ages-into-wrong-type', 'DLV-6');
  });

  it('CAT-3: sets a price for what is sold, from now on or later', () => {
    given(catalogue, opened, defined(aged)).when(set()).thenRecords(priceSet());
    given(catalogue, defined(aged)).when(set()).thenRefuses('unknown-store', 'STO-1');
    given(catalogue, opened).when(set()).thenRefuses('unknown-lead-type', 'CAT-1');
    given(catalogue, opened, defined(aged))
      .when(set({ smallestOrder: 11 }))
      .thenRefuses('order-limits-crossed', 'CAT-3');
    given(catalogue, opened, defined(aged))
      .when(set({ effectiveFrom: minute(1) }))
      .thenRefuses('price-in-the-past', 'CAT-3');
  });

  it('CAT-3: gives the price that is valid at an instant', () => {
    const later = priceSet({ effectiveFrom: minute(9), pricePerLeadCents: 120 });
    const state = given(catalogue, opened, defined(aged), priceSet(), later).state();
    const centsAt = (at: string) => priceAt(state, 'main', 'shared-aged', at)?.pricePerLeadCents;
    expect([centsAt(minute(4)), centsAt(minute(5)), centsAt(minute(8)), centsAt(minute(9))]).toEqual([
      undefined,
      100,
      100,
      120,
    ]);
    expect(priceAt(state, 'other', 'shared-aged', minute(9))).toBeUndefined();
  });

  it('CAT-3: a price scheduled for later takes effect then, even if an earlier one was set afterwards', () => {
    const later = priceSet({ effectiveFrom: minute(9), pricePerLeadCents: 120 });
    const sooner = priceSet({ effectiveFrom: minute(7), pricePerLeadCents: 80 });
    const corrected = priceSet({ effectiveFrom: minute(9), pricePerLeadCents: 125 });
    const centsAt = (at: string, ...events: CatalogueEvent[]) =>
      priceAt(given(catalogue, opened, defined(aged), priceSet(), ...events).state(), 'main', 'shared-aged', at)
        ?.pricePerLeadCents;
    expect([minute(6), minute(7), minute(9)].map((at) => centsAt(at, later, sooner))).toEqual([100, 80, 120]);
    expect(centsAt(minute(9), later, sooner, corrected)).toBe(125);
  });
});
