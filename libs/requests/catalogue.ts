import {
  catalogue,
  catalogueStream,
  type LeadType,
  mayJoinLoyaltyRewards,
  type Price,
  type Store,
} from '#domain/catalogue/catalogue';
import type { Instant } from '#domain/kernel/events';
import type { CommandOf } from '#domain/ledger';
import type { HistoryRequest } from './histories.ts';
import { listPriceHistory } from './price-history.ts';
import { refuseDescriptor } from './provider-limits.ts';
import { type QueryTools, sameForAll } from './query-tools.ts';
import type { RequestContext, RequestTools } from './request-tools.ts';
import { checkRightEarly } from './rights.ts';

type PriceRequest = Omit<Price, 'effectiveFrom'> & { readonly effectiveFrom?: Instant };

/** Stores, lead types, prices, and what card statements show (STO, CAT). */
export function catalogueRequests(tools: RequestTools) {
  const send = (id: string, command: CommandOf<'catalogue'>, context: RequestContext) =>
    tools.send(id, catalogueStream, command, context);
  return {
    openStore: (store: Store, context: RequestContext) =>
      send(store.storeId, { type: 'OpenStore', at: tools.now(), ...store }, context),
    setStatementDescriptor: (descriptor: string, context: RequestContext) =>
      setStatementDescriptor(tools, descriptor, context),
    defineLeadType: (leadType: LeadType, context: RequestContext) =>
      send(leadType.leadTypeId, { type: 'DefineLeadType', at: tools.now(), ...leadType }, context),
    setPrice(price: PriceRequest, context: RequestContext) {
      const at = tools.now();
      return send('main', { type: 'SetPrice', at, effectiveFrom: at, ...price }, context);
    },
  };
}

/** STO-2. Which descriptors fit depends on the payment provider. */
async function setStatementDescriptor(tools: RequestTools, descriptor: string, context: RequestContext) {
  const command = { type: 'SetStatementDescriptor', at: tools.now(), descriptor } as const;
  const noRight = checkRightEarly(catalogueStream, command, catalogue.initialState(), context);
  const asked = noRight ?? refuseDescriptor(tools, descriptor) ?? command;
  return tools.send('main', catalogueStream, asked, context);
}

export function catalogueQueries(tools: QueryTools) {
  const { stateOf, streams, histories } = tools;
  const present = () => stateOf<'catalogue'>(catalogueStream);
  const read = () => streams.read<'catalogue'>(catalogueStream);
  const stores = async () => {
    const { state, revision } = await read();
    return [...state.stores.values()].map((store) => ({ ...store, revision }));
  };
  const leadTypes = async () => {
    const { state, revision } = await read();
    return [...state.leadTypes.values()].map((leadType) => {
      const qualifiesForLoyaltyRewards = mayJoinLoyaltyRewards(leadType);
      return { ...leadType, qualifiesForLoyaltyRewards, revision };
    });
  };
  return {
    listStores: sameForAll(stores),
    getStore: sameForAll(async (wanted: { storeId: string }) =>
      (await stores()).find(({ storeId }) => storeId === wanted.storeId),
    ),
    getStatementDescriptor: sameForAll(async () => {
      const { state, revision } = await read();
      return { statementDescriptor: state.descriptor ?? null, revision };
    }),
    /** Those that are retired, too. */
    listLeadTypes: sameForAll(leadTypes),
    getLeadType: sameForAll(async (wanted: { leadTypeId: string }) =>
      (await leadTypes()).find(({ leadTypeId }) => leadTypeId === wanted.leadTypeId),
    ),
    /** What was defined, set and corrected: by whom, when and why. */
    history: (context: RequestContext, upTo: HistoryRequest) => histories.of(context, catalogueStream, upTo),
    /** Past, present and future prices. */
    listPrices: sameForAll(async ({ storeId }: { storeId?: string }) => {
      const prices = [...(await present()).prices.values()].flat();
      return prices.filter((price) => storeId === undefined || price.storeId === storeId);
    }),
    /** The same with their authors and reasons, read from the log. */
    listPriceHistory: listPriceHistory(tools),
  };
}
