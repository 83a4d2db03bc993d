import { z } from 'zod';
import { type HistoryEvent, historyEvent } from '#audit/history';
import { catalogueEvents, catalogueStream, type Price } from '#domain/catalogue/catalogue';
import { exampleIds } from '#read-models/models/examples';
import type { QueryTools } from './query-tools.ts';
import type { RequestContext } from './request-tools.ts';

/** A price as it was set: by whom, when and why. */
export const setPrice = catalogueEvents.PriceSet.omit({ at: true })
  .extend({
    setAt: historyEvent.shape.at.describe('When it was set.'),
    author: z.string().describe('Who set it.'),
    reason: historyEvent.shape.reason.unwrap().nullable().describe('Why, in the words of its author. Null: not said.'),
    replaced: z.boolean().describe('Whether another price was set later for the same instant, and holds instead.'),
  })
  .meta({ id: 'SetPrice' });
type SetPrice = z.infer<typeof setPrice>;

export const setPriceExample: SetPrice = {
  storeId: exampleIds.storeId,
  leadTypeId: exampleIds.leadTypeId,
  pricePerLeadCents: 950,
  currency: 'USD',
  smallestOrder: 5,
  largestOrder: 500,
  effectiveFrom: '2026-03-01T09:30:00.000Z',
  setAt: '2026-02-20T14:00:00.000Z',
  author: 'staff:ada',
  reason: 'the spring campaign',
  replaced: false,
};

type PriceHistoryRequest = Partial<Pick<Price, 'storeId' | 'leadTypeId'>>;

/** CAT-3: every price that was ever set, in the order in which they were set. */
export const listPriceHistory =
  ({ histories }: Pick<QueryTools, 'histories'>) =>
  async (context: RequestContext, { storeId, leadTypeId }: PriceHistoryRequest): Promise<readonly SetPrice[]> => {
    const events = (await histories.of(context, catalogueStream, {}))?.events ?? [];
    const set = events.filter(({ type }) => type === 'PriceSet').map(asPrice);
    const lasts = new Map(set.map((price) => [placeOf(price), price]));
    return set
      .filter((price) => storeId === undefined || price.storeId === storeId)
      .filter((price) => leadTypeId === undefined || price.leadTypeId === leadTypeId)
      .map((price) => ({ ...price, replaced: lasts.get(placeOf(price)) !== price }));
  };

const asPrice = ({ at: setAt, data, actor: author, reason }: HistoryEvent) => ({
  ...(data as Price),
  ...{ setAt, author, reason: reason ?? null },
});

/** What only one price can hold for. */
const placeOf = ({ storeId, leadTypeId, effectiveFrom }: Price): string =>
  JSON.stringify([storeId, leadTypeId, effectiveFrom]);
