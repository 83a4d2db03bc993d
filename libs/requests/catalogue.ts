import {
  catalogueStream,
  type LeadType,
  mayJoinLoyaltyRewards,
  type Price,
  type Store,
} from '#domain/catalogue/catalogue';
import type { Instant } from '#domain/kernel/events';
import type { CommandOf } from '#domain/ledger';
import { type QueryTools, sameForAll } from './query-tools.ts';
import type { RequestContext, RequestTools } from './request-tools.ts';

type PriceRequest = Omit<Price, 'effectiveFrom'> & { readonly effectiveFrom?: Instant };

/** Stores, lead types, prices, and what card statements show (STO, CAT). */
export function catalogueRequests(tools: RequestTools) {
  const send = (id: string, command: CommandOf<'catalogue'>, context: RequestContext) =>
    tools.send(id, catalogueStream, command, context);
  return {
    openStore: (store: Store, context: RequestContext) =>
      send(store.storeId, { type: 'OpenStore', at: tools.now(), ...store }, context),
    setStatementDescriptor: (descriptor: string, context: RequestContext) =>
      send('main', { type: 'SetStatementDescriptor', at: tools.now(), descriptor }, context),
    defineLeadType: (leadType: LeadType, context: RequestContext) =>
      send(leadType.leadTypeId, { type: 'DefineLeadType', at: tools.now(), ...leadType }, context),
    setPrice(price: PriceRequest, context: RequestContext) {
      const at = tools.now();
      return send('main', { type: 'SetPrice', at, effectiveFrom: at, ...price }, context);
    },
  };
}

export function catalogueQueries({ stateOf, streams }: QueryTools) {
  const catalogue = () => stateOf<'catalogue'>(catalogueStream);
  return {
    listStores: sameForAll(async () => [...(await catalogue()).stores.values()]),
    getStatementDescriptor: sameForAll(async () => {
      const { state, revision } = await streams.read<'catalogue'>(catalogueStream);
      return { statementDescriptor: state.descriptor ?? null, revision };
    }),
    listLeadTypes: sameForAll(async () =>
      [...(await catalogue()).leadTypes.values()].map((leadType) => ({
        ...leadType,
        qualifiesForLoyaltyRewards: mayJoinLoyaltyRewards(leadType),
      })),
    ),
    /** Past, present and future prices. */
    listPrices: sameForAll(async ({ storeId }: { storeId?: string }) => {
      const prices = [...(await catalogue()).prices.values()].flat();
      return prices.filter((price) => storeId === undefined || price.storeId === storeId);
    }),
  };
}
