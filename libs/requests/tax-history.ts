import { z } from 'zod';
import { type HistoryEvent, historyEvent } from '#audit/history';
import { catalogueStream } from '#domain/catalogue/catalogue';
import { receiptsStream } from '#domain/receipts/receipts';
import { type DatedTaxes, datedTaxes } from '#domain/receipts/taxes';
import type { QueryTools } from './query-tools.ts';
import type { RequestContext } from './request-tools.ts';

/** Taxes as they were set. */
export const setTaxes = datedTaxes
  .extend({
    setAt: historyEvent.shape.at.describe('When they were set.'),
    replaced: z.boolean().describe('Whether others were set later for the same instant, and hold instead.'),
  })
  .meta({ id: 'Taxes' });
type SetTaxes = z.infer<typeof setTaxes>;

/** The same, with what only staff may see. */
export const taxesInHistory = setTaxes
  .extend({
    author: z.string().describe('Who set them.'),
    reason: historyEvent.shape.reason.unwrap().nullable().describe('Why, in the words of the author. Null: not said.'),
  })
  .meta({ id: 'TaxesInHistory' });
type TaxesInHistory = z.infer<typeof taxesInHistory>;

export const setTaxesExample: SetTaxes = {
  taxes: [{ name: 'Sales tax', percent: 8 }],
  effectiveFrom: '2026-03-01T09:30:00.000Z',
  setAt: '2026-02-20T14:00:00.000Z',
  replaced: false,
};

export const taxesInHistoryExample: TaxesInHistory = {
  ...setTaxesExample,
  author: 'staff:ada',
  reason: 'the new rate of the state',
};

interface StoreRequest {
  readonly storeId: string;
}

/** Past, present and future taxes, by the instant from which they hold. @returns undefined when there is no such store */
export const listTaxes =
  (tools: Pick<QueryTools, 'stateOf'>) =>
  async (_context: RequestContext, { storeId }: StoreRequest): Promise<readonly SetTaxes[] | undefined> => {
    if (!(await isStore(tools, storeId))) return undefined;
    const { taxes } = await tools.stateOf<'receipts'>(receiptsStream(storeId));
    return inOrder(taxes.map(({ at: setAt, ...dated }) => ({ ...dated, setAt })));
  };

/** The same with authors and reasons, read from the log. */
export const listTaxHistory =
  (tools: Pick<QueryTools, 'stateOf' | 'rows' | 'histories'>) =>
  async (context: RequestContext, { storeId }: StoreRequest): Promise<readonly TaxesInHistory[] | undefined> => {
    if (!(await isStore(tools, storeId))) return undefined;
    const facts = await tools.histories.factsAt(await tools.rows.receipts.taxes(context.caller, storeId));
    const events = await Promise.all(facts.map((fact) => tools.histories.entry(context, fact)));
    return inOrder(events.map(asTaxes));
  };

const isStore = async ({ stateOf }: Pick<QueryTools, 'stateOf'>, storeId: string): Promise<boolean> =>
  (await stateOf<'catalogue'>(catalogueStream)).stores.has(storeId);

const asTaxes = ({ at: setAt, data, actor: author, reason }: HistoryEvent) => ({
  ...(data as DatedTaxes),
  ...{ setAt, author, reason: reason ?? null },
});

/** Of several for one instant, in the order in which they were set. @param set in that order */
function inOrder<Set extends DatedTaxes>(set: readonly Set[]): readonly (Set & { readonly replaced: boolean })[] {
  const lasts = new Map(set.map((one) => [one.effectiveFrom, one]));
  return set
    .map((one) => ({ ...one, replaced: lasts.get(one.effectiveFrom) !== one }))
    .sort((a, b) => (a.effectiveFrom === b.effectiveFrom ? 0 : a.effectiveFrom < b.effectiveFrom ? -1 : 1));
}
