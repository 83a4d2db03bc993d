import { given, minute } from '#test/given';
import {
  type CatalogueCommand,
  type CatalogueEvent,
  catalogue,
  type LeadType,
  leadTypeAt,
  priceAt,
} from './catalogue.ts';

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
  it('STO-1: opens a store once; a second opening does not change it', () => {
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

  it('CAT-1, CAT-2: defines a lead type once; a second definition does not change it', () => {
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

  const correct = (command: CatalogueCommand) => given(catalogue, opened, defined(aged)).when(command);
  const retired: CatalogueEvent = { type: 'LeadTypeRetired', data: { at: minute(3), leadTypeId: 'shared-aged' } };

  it('CAT-5: corrects a store and a lead type; what is so already records nothing', () => {
    const { storeId } = store;
    const { leadTypeId } = aged;
    const at = minute(3);
    correct({ type: 'RenameStore', at, storeId, name: 'West' }).thenRecords({
      type: 'StoreRenamed',
      data: { at, storeId, name: 'West' },
    });
    correct({ type: 'RenameStore', at, storeId, name: store.name }).thenNothing();
    const webAddress = 'https://west.example';
    correct({ type: 'ChangeWebAddress', at, storeId, webAddress }).thenRecords({
      type: 'WebAddressChanged',
      data: { at, storeId, webAddress },
    });
    correct({ type: 'RenameLeadType', at, leadTypeId, name: 'Aged' }).thenRecords({
      type: 'LeadTypeRenamed',
      data: { at, leadTypeId, name: 'Aged' },
    });
    const usualDelivery = 'a week';
    correct({ type: 'ChangeUsualDelivery', at, leadTypeId, usualDelivery }).thenRecords({
      type: 'UsualDeliveryChanged',
      data: { at, leadTypeId, usualDelivery },
    });
  });

  it('CAT-5: retires a lead type once, and re-opens it once', () => {
    const { leadTypeId } = aged;
    correct({ type: 'RetireLeadType', at: minute(3), leadTypeId }).thenRecords(retired);
    correct({ type: 'ReopenLeadType', at: minute(3), leadTypeId }).thenNothing();
    given(catalogue, defined(aged), retired)
      .when({ type: 'ReopenLeadType', at: minute(4), leadTypeId })
      .thenRecords({ type: 'LeadTypeReopened', data: { at: minute(4), leadTypeId } });
    given(catalogue, defined(aged), retired).when(define(aged)).thenNothing();
  });

  it('CAT-5: does not correct what does not exist', () => {
    const at = minute(3);
    correct({ type: 'RenameStore', at, storeId: 'east', name: 'East' }).thenRefuses('unknown-store', 'STO-1');
    correct({ type: 'RetireLeadType', at, leadTypeId: 'x' }).thenRefuses('unknown-lead-type', 'CAT-1');
    correct({ type: 'RenameLeadType', at, leadTypeId: 'x', name: 'X' }).thenRefuses('unknown-lead-type', 'CAT-1');
  });

  it('CAT-4, CAT-5: marks a shared lead type as qualifying, and takes the mark back; an exclusive one always qualifies', () => {
    const at = minute(3);
    const qualify = (leadTypeId: string, qualifiesForLoyaltyRewards: boolean): CatalogueCommand => ({
      type: 'ChangeLoyaltyQualification',
      ...{ at, leadTypeId, qualifiesForLoyaltyRewards },
    });
    correct(qualify('shared-aged', true)).thenRecords({
      type: 'LoyaltyQualificationChanged',
      data: { at, leadTypeId: 'shared-aged', qualifiesForLoyaltyRewards: true },
    });
    correct(qualify('shared-aged', false)).thenNothing();
    const exclusive = given(catalogue, defined({ ...aged, exclusivity: 'exclusive' }));
    exclusive.when(qualify('shared-aged', true)).thenNothing();
    exclusive.when(qualify('shared-aged', false)).thenRefuses('always-qualifies', 'CAT-4');
  });

  it('CAT-5: knows what was promised at an instant', () => {
    const change: CatalogueEvent = {
      type: 'UsualDeliveryChanged',
      data: { at: minute(5), leadTypeId: 'shared-aged', usualDelivery: 'a week' },
    };
    const state = given(catalogue, defined(aged), change).state();
    const usualAt = (at: string) => leadTypeAt(state, 'shared-aged', at)?.usualDelivery;
    expect([minute(0), minute(1), minute(4), minute(5)].map(usualAt)).toEqual([
      'a few business days',
      'a few business days',
      'a few business days',
      'a week',
    ]);
    expect(state.leadTypes.get('shared-aged')?.usualDelivery).toBe('a week');
  });
});
