import { z } from 'zod';
import { type Decider, type Decision, refuse, undecided } from '../kernel/decider.ts';
import { cents, type EventsOf, fact, type Instant, instant } from '../kernel/events.ts';
import { currency, id, storeText } from '../kernel/fields.ts';
import { inEffectAt } from '../kernel/instants.ts';
import { type RightsOf, staffWith, staffWithReason } from '../kernel/rights.ts';

/** The parent company's one catalogue: its stores, what they sell, and at which price (STO, CAT). */
export const catalogueStream = 'catalogue-main';

export const exclusivities = ['exclusive', 'shared'] as const;
export const freshnesses = ['real-time', 'fresh', 'aged'] as const;
export type Exclusivity = (typeof exclusivities)[number];
export type Freshness = (typeof freshnesses)[number];

export const catalogueEvents = {
  StoreOpened: fact({
    storeId: id.describe('The store.'),
    name: storeText.describe('Its name, as customers know it.'),
    webAddress: storeText.describe('Where customers find it; mails link there.'),
  }),
  StatementDescriptorSet: fact({ descriptor: storeText }),
  LeadTypeDefined: fact({
    leadTypeId: id.describe('The lead type.'),
    name: storeText.describe('Its name, as customers know it.'),
    exclusivity: z.enum(exclusivities).describe('Sold to one customer ever, or to several (CAT-1).'),
    freshness: z.enum(freshnesses).describe('Fresh and aged are batch types (CAT-1).'),
    usualDelivery: storeText.describe('The usual delivery time, for people (CAT-2).'),
    qualifiesForLoyaltyRewards: z.boolean().describe('Whether its orders may join Loyalty Rewards (CAT-4).'),
    agesInto: id.optional().describe('The lead type that an unsold lead of this type becomes with age (DLV-6).'),
  }),
  PriceSet: fact({
    storeId: id.describe('The store that sells at this price.'),
    leadTypeId: id.describe('The lead type that it is the price of.'),
    pricePerLeadCents: cents.describe('The price of one lead.'),
    currency: currency.describe('The currency (ISO 4217).'),
    smallestOrder: z.int().positive().describe('The smallest quantity of an order.'),
    largestOrder: z.int().positive().describe('The largest quantity of an order.'),
    effectiveFrom: instant.describe('From when the price holds.'),
  }),
  // CAT-5. What was placed before keeps what it was promised.
  StoreRenamed: fact({ storeId: id, name: storeText }),
  WebAddressChanged: fact({ storeId: id, webAddress: storeText }),
  LeadTypeRenamed: fact({ leadTypeId: id, name: storeText }),
  UsualDeliveryChanged: fact({ leadTypeId: id, usualDelivery: storeText }),
  LoyaltyQualificationChanged: fact({ leadTypeId: id, qualifiesForLoyaltyRewards: z.boolean() }),
  /** It is not sold any more. Its open orders are served, and its programmes renew. */
  LeadTypeRetired: fact({ leadTypeId: id }),
  LeadTypeReopened: fact({ leadTypeId: id }),
};
export type CatalogueEvent = EventsOf<typeof catalogueEvents>;

type DataOf<Type extends CatalogueEvent['type']> = Extract<CatalogueEvent, { type: Type }>['data'];
export type Store = Omit<DataOf<'StoreOpened'>, 'at'>;
export type LeadType = Omit<DataOf<'LeadTypeDefined'>, 'at'>;
/** A lead type as it is now. */
export interface PresentLeadType extends LeadType {
  readonly retiredAt?: Instant | undefined;
}
export type Price = Omit<DataOf<'PriceSet'>, 'at'>;

export type CatalogueCommand =
  | { type: 'OpenStore'; at: Instant; storeId: string; name: string; webAddress: string }
  | { type: 'SetStatementDescriptor'; at: Instant; descriptor: string }
  | ({ type: 'DefineLeadType'; at: Instant } & LeadType)
  | ({ type: 'SetPrice'; at: Instant } & Price)
  | { type: 'RenameStore'; at: Instant; storeId: string; name: string }
  | { type: 'ChangeWebAddress'; at: Instant; storeId: string; webAddress: string }
  | { type: 'RenameLeadType'; at: Instant; leadTypeId: string; name: string }
  | { type: 'ChangeUsualDelivery'; at: Instant; leadTypeId: string; usualDelivery: string }
  | { type: 'ChangeLoyaltyQualification'; at: Instant; leadTypeId: string; qualifiesForLoyaltyRewards: boolean }
  | { type: 'RetireLeadType' | 'ReopenLeadType'; at: Instant; leadTypeId: string };

const managers = ['catalogue-manager'] as const;

/** Who may ask for which command. */
export const catalogueRights = {
  OpenStore: staffWith(managers, 'STO-1'),
  SetStatementDescriptor: staffWith(managers, 'STO-2'),
  DefineLeadType: staffWith(managers, 'CAT-1'),
  SetPrice: staffWith(managers, 'CAT-3'),
  RenameStore: staffWithReason(managers, 'CAT-5'),
  ChangeWebAddress: staffWithReason(managers, 'CAT-5'),
  RenameLeadType: staffWithReason(managers, 'CAT-5'),
  ChangeUsualDelivery: staffWithReason(managers, 'CAT-5'),
  ChangeLoyaltyQualification: staffWithReason(managers, 'CAT-5'),
  RetireLeadType: staffWithReason(managers, 'CAT-5'),
  ReopenLeadType: staffWithReason(managers, 'CAT-5'),
} satisfies RightsOf<CatalogueCommand, CatalogueState>;

export interface CatalogueState {
  readonly stores: Map<string, Store>;
  readonly leadTypes: Map<string, PresentLeadType>;
  /** What they were before they were corrected, oldest first, for what was promised then (CAT-5). */
  readonly formerStores: Map<string, readonly Former<Store>[]>;
  readonly formerLeadTypes: Map<string, readonly Former<PresentLeadType>[]>;
  /** In the order in which they were set. */
  readonly prices: Map<string, Price[]>;
  descriptor: string | undefined;
}

type Former<Item> = Item & { readonly until: Instant };

export const catalogue: Decider<CatalogueState, CatalogueCommand, CatalogueEvent> = {
  initialState: () => ({
    stores: new Map(),
    leadTypes: new Map(),
    formerStores: new Map(),
    formerLeadTypes: new Map(),
    prices: new Map(),
    descriptor: undefined,
  }),

  decide(command, state): Decision<CatalogueEvent> {
    switch (command.type) {
      case 'OpenStore':
        return openStore(command, state);
      case 'SetStatementDescriptor':
        if (command.descriptor === state.descriptor) return [];
        return [{ type: 'StatementDescriptorSet', data: { at: command.at, descriptor: command.descriptor } }];
      case 'DefineLeadType':
        return defineLeadType(command, state);
      case 'SetPrice':
        return setPrice(command, state);
      case 'RenameStore':
        return correctStore({ type: 'StoreRenamed', data: dataOf(command) }, state);
      case 'ChangeWebAddress':
        return correctStore({ type: 'WebAddressChanged', data: dataOf(command) }, state);
      case 'RenameLeadType':
        return correctLeadType({ type: 'LeadTypeRenamed', data: dataOf(command) }, state);
      case 'ChangeUsualDelivery':
        return correctLeadType({ type: 'UsualDeliveryChanged', data: dataOf(command) }, state);
      case 'ChangeLoyaltyQualification':
        return changeLoyaltyQualification(command, state);
      case 'RetireLeadType':
        return setRetired({ type: 'LeadTypeRetired', data: dataOf(command) }, state);
      case 'ReopenLeadType':
        return setRetired({ type: 'LeadTypeReopened', data: dataOf(command) }, state);
      default:
        return undecided(command);
    }
  },

  evolve(state, event) {
    switch (event.type) {
      case 'StoreOpened':
      case 'StoreRenamed':
      case 'WebAddressChanged':
        note(state.stores, state.formerStores, event.data.storeId, event.data);
        break;
      case 'StatementDescriptorSet':
        state.descriptor = event.data.descriptor;
        break;
      case 'LeadTypeDefined':
      case 'LeadTypeRenamed':
      case 'UsualDeliveryChanged':
      case 'LoyaltyQualificationChanged':
        note(state.leadTypes, state.formerLeadTypes, event.data.leadTypeId, event.data);
        break;
      case 'LeadTypeRetired':
      case 'LeadTypeReopened': {
        const { at, leadTypeId } = event.data;
        const retiredAt = event.type === 'LeadTypeRetired' ? at : undefined;
        note(state.leadTypes, state.formerLeadTypes, leadTypeId, { at, retiredAt });
        break;
      }
      case 'PriceSet': {
        const key = priceKey(event.data.storeId, event.data.leadTypeId);
        state.prices.set(key, [...(state.prices.get(key) ?? []), event.data]);
        break;
      }
      default:
        event satisfies never;
    }
    return state;
  },
};

type Command<Type extends CatalogueCommand['type']> = Extract<CatalogueCommand, { type: Type }>;

function openStore(command: Command<'OpenStore'>, state: CatalogueState): Decision<CatalogueEvent> {
  const { type: _, ...data } = command;
  const known = state.stores.get(data.storeId);
  if (!known) return [{ type: 'StoreOpened', data }];
  if (sameValues(known, data)) return [];
  return refuse('store-exists', `store ${data.storeId} is already open, with another name or address`, 'STO-1');
}

function defineLeadType(command: Command<'DefineLeadType'>, state: CatalogueState): Decision<CatalogueEvent> {
  const { type: _, ...data } = command;
  const known = state.leadTypes.get(data.leadTypeId);
  if (!known) return refuseAgeing(data, state) ?? [{ type: 'LeadTypeDefined', data }];
  if (sameValues({ ...known, retiredAt: undefined }, data)) return [];
  return refuse('lead-type-exists', `lead type ${data.leadTypeId} is already defined, with other values`, 'CAT-1');
}

function setPrice(command: Command<'SetPrice'>, state: CatalogueState): Decision<CatalogueEvent> {
  const { type: _, ...data } = command;
  const { storeId, leadTypeId, smallestOrder, largestOrder } = data;
  if (!state.stores.has(storeId)) return unknownStore(storeId);
  if (!state.leadTypes.has(leadTypeId)) return unknownLeadType(leadTypeId);
  if (smallestOrder > largestOrder)
    return refuse('order-limits-crossed', 'the smallest order is larger than the largest', 'CAT-3');
  if (data.effectiveFrom < data.at)
    return refuse('price-in-the-past', 'a price takes effect now or later: past orders keep theirs', 'CAT-3');
  const latest = state.prices.get(priceKey(storeId, leadTypeId))?.at(-1);
  return latest && sameValues(latest, data) ? [] : [{ type: 'PriceSet', data }];
}

type Event<Type extends CatalogueEvent['type']> = Extract<CatalogueEvent, { type: Type }>;

const dataOf = <Asked extends CatalogueCommand>({ type: _, ...data }: Asked) => data;

function correctStore(
  event: Event<'StoreRenamed' | 'WebAddressChanged'>,
  { stores }: CatalogueState,
): Decision<CatalogueEvent> {
  const known = stores.get(event.data.storeId);
  if (!known) return unknownStore(event.data.storeId);
  return saysAlready(known, event.data) ? [] : [event];
}

function correctLeadType(
  event: Event<'LeadTypeRenamed' | 'UsualDeliveryChanged' | 'LoyaltyQualificationChanged'>,
  { leadTypes }: CatalogueState,
): Decision<CatalogueEvent> {
  const known = leadTypes.get(event.data.leadTypeId);
  if (!known) return unknownLeadType(event.data.leadTypeId);
  return saysAlready(known, event.data) ? [] : [event];
}

/** CAT-4: what an exclusive type says of itself has no effect. */
function changeLoyaltyQualification(
  command: Command<'ChangeLoyaltyQualification'>,
  state: CatalogueState,
): Decision<CatalogueEvent> {
  const { leadTypeId, qualifiesForLoyaltyRewards } = command;
  if (state.leadTypes.get(leadTypeId)?.exclusivity !== 'exclusive')
    return correctLeadType({ type: 'LoyaltyQualificationChanged', data: dataOf(command) }, state);
  if (qualifiesForLoyaltyRewards) return [];
  return refuse('always-qualifies', 'an exclusive lead type always qualifies for Loyalty Rewards', 'CAT-4');
}

function setRetired(
  event: Event<'LeadTypeRetired' | 'LeadTypeReopened'>,
  { leadTypes }: CatalogueState,
): Decision<CatalogueEvent> {
  const known = leadTypes.get(event.data.leadTypeId);
  if (!known) return unknownLeadType(event.data.leadTypeId);
  const isRetired = known.retiredAt !== undefined;
  return isRetired === (event.type === 'LeadTypeRetired') ? [] : [event];
}

const saysAlready = (known: object, said: object): boolean =>
  Object.entries(said).every(([name, value]) => name === 'at' || (known as Record<string, unknown>)[name] === value);

/** What an event says of a store or a lead type holds from its instant on. The rest stays. */
function note<Item extends object>(
  present: Map<string, Item>,
  former: Map<string, readonly Former<Item>[]>,
  id: string,
  { at, ...said }: { readonly at: Instant } & Partial<Item>,
): void {
  const before = present.get(id);
  if (before) former.set(id, [...(former.get(id) ?? []), { ...before, until: at }]);
  present.set(id, { ...before, ...said } as unknown as Item);
}

/** A store as it was at an instant (CAT-5). */
export const storeAt = ({ stores, formerStores }: CatalogueState, storeId: string, at: Instant): Store | undefined =>
  asItWas(formerStores.get(storeId), at) ?? stores.get(storeId);

/** A lead type as it was at an instant: what was placed then was promised so (CAT-5). */
export const leadTypeAt = (
  { leadTypes, formerLeadTypes }: CatalogueState,
  leadTypeId: string,
  at: Instant,
): PresentLeadType | undefined => asItWas(formerLeadTypes.get(leadTypeId), at) ?? leadTypes.get(leadTypeId);

/** @returns undefined when the present one held already */
const asItWas = <Item>(former: readonly Former<Item>[] = [], at: Instant): Item | undefined =>
  former[former.findLastIndex(({ until }) => until <= at) + 1];

/** The price in effect at an instant (CAT-3); undefined when the store does not sell the type then. */
export function priceAt(state: CatalogueState, storeId: string, leadTypeId: string, at: Instant): Price | undefined {
  return inEffectAt(state.prices.get(priceKey(storeId, leadTypeId)) ?? [], at);
}

/** The currencies in which the store has ever sold the type, or plans to. */
export const currenciesOf = ({ prices }: CatalogueState, storeId: string, leadTypeId: string): ReadonlySet<string> =>
  new Set(prices.get(priceKey(storeId, leadTypeId))?.map(({ currency }) => currency));

const priceKey = (storeId: string, leadTypeId: string) => JSON.stringify([storeId, leadTypeId]);

const nextFreshness: Record<Freshness, Freshness | undefined> = {
  'real-time': 'fresh',
  fresh: 'aged',
  aged: undefined,
};

function refuseAgeing(leadType: LeadType, state: CatalogueState) {
  if (leadType.agesInto === undefined) return undefined;
  const older = state.leadTypes.get(leadType.agesInto);
  if (!older) return { ...unknownLeadType(leadType.agesInto), field: 'agesInto' };
  if (older.exclusivity !== leadType.exclusivity || older.freshness !== nextFreshness[leadType.freshness])
    return refuse('ages-into-wrong-type', whatComesOf(leadType), 'DLV-6');
  return undefined;
}

function whatComesOf({ freshness, exclusivity }: LeadType): string {
  const next = nextFreshness[freshness];
  return next === undefined
    ? `${freshness} leads are the oldest: they age into no other lead type`
    : `${exclusivity} ${freshness} leads age into ${exclusivity} ${next} ones only`;
}

/** CAT-4. An exclusive type always may, whatever its definition says. */
export const mayJoinLoyaltyRewards = ({ exclusivity, qualifiesForLoyaltyRewards }: LeadType): boolean =>
  exclusivity === 'exclusive' || qualifiesForLoyaltyRewards;

/** Whether two definitions have the same values, apart from their instants. */
function sameValues(known: object, asked: object): boolean {
  const plain = (value: object) =>
    JSON.stringify(
      Object.entries(value)
        .filter(([key, field]) => key !== 'at' && field !== undefined)
        .sort(),
    );
  return plain(known) === plain(asked);
}

export const unknownStore = (storeId: string) => refuse('unknown-store', `there is no store ${storeId}`, 'STO-1');

export const unknownLeadType = (id: string) => refuse('unknown-lead-type', `there is no lead type ${id}`, 'CAT-1');
