import { z } from 'zod';
import {
  catalogueEvents,
  type Exclusivity,
  exclusivities,
  type Freshness,
  freshnesses,
} from '#domain/catalogue/catalogue';
import { type Instant, instant } from '#domain/kernel/events';
import { exampleIds } from '#read-models/models/examples';
import { setPrice } from '#requests/price-history';
import { revision } from '#requests/revision';
import { Count, Currency, Flag, Id, InstantField, Line, OneOf, StoreAddress } from './fields.ts';
import { listOf } from './reads.ts';
import { named, orNull } from './schemas.ts';

export class OpenStoreBody {
  @Id({ description: 'The id of the store, chosen once. Orders and prices refer to it.', example: exampleIds.storeId })
  storeId!: string;

  @Line({ description: 'Its name, as customers know it.', example: 'West Coast Leads' })
  name!: string;

  @StoreAddress({ description: 'Where customers find it; mails link there.', example: 'https://west.example' })
  webAddress!: string;
}

export class RenameStoreBody {
  @Line({ description: 'Its new name, as customers know it.', example: 'West Coast Leads' })
  name!: string;
}

export class ChangeWebAddressBody {
  @StoreAddress({
    description: 'Where customers find it from now on; mails link there.',
    example: 'https://west.example',
  })
  webAddress!: string;
}

export class SetStatementDescriptorBody {
  @Line({
    description: 'What card statements show for every store (STO-2). How long it may be says the payment provider.',
    example: 'LEADGER',
    maxLength: 100,
  })
  statementDescriptor!: string;
}

export class DefineLeadTypeBody {
  @Id({
    description: 'The id of the lead type, chosen once. Orders and prices refer to it.',
    example: exampleIds.leadTypeId,
  })
  leadTypeId!: string;

  @Line({ description: 'Its name, as customers know it.', example: 'Exclusive evening leads' })
  name!: string;

  @OneOf(exclusivities, {
    description: 'Sold to one customer ever, or to several (CAT-1).',
    example: 'exclusive',
  })
  exclusivity!: Exclusivity;

  @OneOf(freshnesses, {
    description: 'Fresh and aged are batch types (CAT-1).',
    example: 'real-time',
  })
  freshness!: Freshness;

  @Line({ description: 'The usual delivery time, in words for people (CAT-2).', example: 'at once' })
  usualDelivery!: string;

  @Flag({
    description: 'Whether its orders may join Loyalty Rewards. Exclusive types always may (CAT-4).',
    example: true,
  })
  qualifiesForLoyaltyRewards!: boolean;

  @Id({
    description: 'The lead type that an unsold lead of this type becomes with age (DLV-6).',
    example: 'exclusive-fresh',
    optional: true,
  })
  agesInto?: string;
}

export class RenameLeadTypeBody {
  @Line({ description: 'Its new name, as customers know it.', example: 'Exclusive evening leads' })
  name!: string;
}

export class ChangeUsualDeliveryBody {
  @Line({ description: 'The usual delivery time of orders from now on (CAT-2).', example: 'at once' })
  usualDelivery!: string;
}

export class ChangeLoyaltyQualificationBody {
  @Flag({
    description: 'Whether its orders may join Loyalty Rewards from now on. Exclusive types always may (CAT-4).',
    example: true,
  })
  qualifiesForLoyaltyRewards!: boolean;
}

export class SetPriceBody {
  @Id({ description: 'The store that sells at this price.', example: exampleIds.storeId })
  storeId!: string;

  @Id({ description: 'The lead type that is sold.', example: exampleIds.leadTypeId })
  leadTypeId!: string;

  @Count({
    description: 'The price of one lead, in minor units of the currency.',
    example: 950,
    minimum: 0,
    maximum: 100_000_000,
  })
  pricePerLeadCents!: number;

  @Currency({ description: 'The currency (ISO 4217).', example: 'USD' })
  currency!: string;

  @Count({ description: 'The smallest quantity of an order.', example: 5 })
  smallestOrder!: number;

  @Count({ description: 'The largest quantity of an order.', example: 500 })
  largestOrder!: number;

  @InstantField({ description: 'From when the price holds, now or later; from now when absent.', optional: true })
  effectiveFrom?: Instant;
}

export class PricesQuery {
  @Id({ description: 'Prices of this store only.', example: exampleIds.storeId, optional: true })
  storeId?: string;
}

export class PriceHistoryQuery extends PricesQuery {
  @Id({ description: 'Prices of this lead type only.', example: exampleIds.leadTypeId, optional: true })
  leadTypeId?: string;
}

export const store = named('Store', catalogueEvents.StoreOpened.omit({ at: true }).extend({ revision }));
export const stores = listOf(store);
const { agesInto } = catalogueEvents.LeadTypeDefined.shape;
export const leadType = named(
  'LeadType',
  catalogueEvents.LeadTypeDefined.omit({ at: true }).extend({
    agesInto: orNull(agesInto.unwrap()).describe(
      'The lead type that an unsold lead of this type becomes with age (DLV-6). Null: it stays what it is.',
    ),
    retiredAt: orNull(instant).describe('Since when it is not sold any more (CAT-5). Null: it is sold.'),
    revision,
  }),
);
export const leadTypes = listOf(leadType);
export const prices = listOf(named('Price', catalogueEvents.PriceSet.omit({ at: true })));
export const setPrices = listOf(setPrice);
export const statementDescriptor = named(
  'StatementDescriptor',
  z.object({
    statementDescriptor: z.string().nullable().describe('What card statements show; null until it is set (STO-2).'),
    revision,
  }),
);

export const anExample = {
  store: { storeId: exampleIds.storeId, name: 'West Coast Leads', webAddress: 'https://west.example', revision: 3 },
  leadType: {
    leadTypeId: exampleIds.leadTypeId,
    name: 'Exclusive evening leads',
    exclusivity: 'exclusive' as const,
    freshness: 'real-time' as const,
    usualDelivery: 'at once',
    qualifiesForLoyaltyRewards: true,
    agesInto: 'exclusive-fresh',
    retiredAt: null,
    revision: 3,
  },
  price: {
    storeId: exampleIds.storeId,
    leadTypeId: exampleIds.leadTypeId,
    pricePerLeadCents: 950,
    currency: 'USD',
    smallestOrder: 5,
    largestOrder: 500,
    effectiveFrom: '2026-03-01T09:30:00.000Z',
  },
};
