import type { LeadType, Price, Store } from '#domain/catalogue/catalogue';

/** The stores, lead types, prices and businesses of the demo. */

export const statementDescriptor = 'LEADGER DEMO';

/** By the segment of the sample data's customers. */
export const stores: Readonly<Record<string, Store>> = {
  Consumer: { storeId: 'homeworkers', name: 'Homeworkers Leads', webAddress: 'https://homeworkers.example' },
  Corporate: { storeId: 'teamline', name: 'Teamline Leads', webAddress: 'https://teamline.example' },
  'Home Office': { storeId: 'kitchentable', name: 'Kitchen Table Leads', webAddress: 'https://kitchentable.example' },
};

/** Oldest first: a lead type is defined before those that age into it. */
export const leadTypes: readonly LeadType[] = [
  { exclusivity: 'exclusive', freshness: 'aged', usualDelivery: 'a few business days' },
  { exclusivity: 'exclusive', freshness: 'fresh', usualDelivery: 'one business day', agesInto: 'exclusive-aged' },
  { exclusivity: 'exclusive', freshness: 'real-time', usualDelivery: 'at once', agesInto: 'exclusive-fresh' },
  { exclusivity: 'shared', freshness: 'aged', usualDelivery: 'a few business days' },
  { exclusivity: 'shared', freshness: 'fresh', usualDelivery: 'one business day', agesInto: 'shared-aged' },
  { exclusivity: 'shared', freshness: 'real-time', usualDelivery: 'at once', agesInto: 'shared-fresh' },
].map((traits) => {
  const { exclusivity, freshness } = traits as LeadType;
  return {
    ...(traits as LeadType),
    leadTypeId: `${exclusivity}-${freshness}`,
    name: `${exclusivity === 'exclusive' ? 'Exclusive' : 'Shared'} ${freshness} leads`,
    qualifiesForLoyaltyRewards: exclusivity === 'exclusive' || freshness === 'real-time',
  };
});

const pricesInCents: Readonly<Record<string, number>> = {
  'exclusive-real-time': 995,
  'exclusive-fresh': 595,
  'exclusive-aged': 195,
  'shared-real-time': 395,
  'shared-fresh': 245,
  'shared-aged': 75,
};

/** Prices rise by five per cent each year, rounded to full cents. */
export function priceList(year: number): Omit<Price, 'effectiveFrom'>[] {
  return Object.values(stores).flatMap(({ storeId }) =>
    Object.entries(pricesInCents).map(([leadTypeId, firstPriceCents]) => ({
      storeId,
      leadTypeId,
      pricePerLeadCents: Math.round(firstPriceCents * 1.05 ** year),
      currency: 'USD',
      smallestOrder: 5,
      largestOrder: 500,
    })),
  );
}

/** Where the demo's customers work. One of them is written in three ways, as people do (DLV-3). */
export const businessAssociations: readonly string[] = [
  'A.B.C. Vitamins',
  'ABC Vitamins',
  'abc-vitamins',
  'Alder & Pine Home Care',
  'Bright Kitchen Circle',
  'Cedar Wellness',
  'Daybreak Travel Club',
  'Evergreen Energy Partners',
  'Fairview Insurance Network',
  'Golden Prairie Foods',
  'Harbor Light Candles',
  'Juniper Skin Care',
  'Northwind Telecom',
  'Riverbend Coffee',
  'Silver Birch Financial',
];
