import { type CustomerState, customerStream } from '#domain/accounts/customer';
import type { PersonName, PostalAddress } from '#domain/accounts/personal';
import { catalogueStream, unknownStore } from '#domain/catalogue/catalogue';
import type { Instant, Sealed } from '#domain/kernel/events';
import { shownTexts } from '#domain/kernel/text';
import type { StateOf } from '#domain/ledger';
import { receipts, receiptsStream } from '#domain/receipts/receipts';
import { buyerLines, type ReceiptSheet } from '#domain/receipts/sheet';
import type { DatedTaxes } from '#domain/receipts/taxes';
import { asRows, openRow, type QueryTools } from './query-tools.ts';
import type { RequestContext, RequestTools } from './request-tools.ts';
import { checkRightEarly } from './rights.ts';
import { listTaxes, listTaxHistory } from './tax-history.ts';

type TaxesRequest = Omit<DatedTaxes, 'effectiveFrom'> & { readonly effectiveFrom?: Instant };

/** Receipts of charges and refunds, and the taxes that prices include (CHK-8). Processes issue the receipts. */
export const receiptRequests = (tools: RequestTools) => ({
  async setTaxes(storeId: string, request: TaxesRequest, context: RequestContext) {
    const at = tools.now();
    const stream = receiptsStream(storeId);
    const command = { type: 'SetTaxes', at, effectiveFrom: at, ...request } as const;
    const noRight = checkRightEarly(stream, command, receipts.initialState(), context);
    const { stores } = await tools.stateOf<'catalogue'>(catalogueStream);
    const refusal = noRight ?? (stores.has(storeId) ? undefined : unknownStore(storeId));
    return tools.send(storeId, stream, refusal ?? command, context);
  },
});

export const receiptQueries = (tools: QueryTools) => ({
  list: asRows(tools.rows.receipts.list),
  get: ({ caller }: RequestContext, { receiptId }: { receiptId: string }) =>
    tools.rows.receipts.find(caller, receiptId),
  /** What the printed receipt shows. @returns undefined when there is no such receipt */
  sheet: (context: RequestContext, { receiptId }: { receiptId: string }) => sheetOf(tools, context, receiptId),
  listTaxes: listTaxes(tools),
  listTaxHistory: listTaxHistory(tools),
});

async function sheetOf(
  tools: QueryTools,
  context: RequestContext,
  receiptId: string,
): Promise<ReceiptSheet | undefined> {
  const row = await tools.rows.receipts.find(context.caller, receiptId);
  if (!row) return undefined;
  const catalogue = await tools.stateOf<'catalogue'>(catalogueStream);
  return receiptSheet(row, catalogue, await buyerOf(tools, context, row.customerId));
}

type Issued = Omit<ReceiptSheet, 'storeName' | 'webAddress' | 'leadTypeName' | 'buyer'> & {
  readonly storeId: string;
  readonly leadTypeId: string;
};

/** The names and the address are those of today. */
export function receiptSheet(
  issued: Issued,
  { stores, leadTypes }: Pick<StateOf<'catalogue'>, 'stores' | 'leadTypes'>,
  buyer: readonly string[],
): ReceiptSheet {
  const { name: storeName = issued.storeId, webAddress = '' } = stores.get(issued.storeId) ?? {};
  const leadTypeName = leadTypes.get(issued.leadTypeId)?.name ?? issued.leadTypeId;
  return shownTexts({ ...issued, storeName, webAddress, leadTypeName, buyer });
}

/** Who was erased is not shown. While a key is missing, the receipt says so. */
async function buyerOf(tools: QueryTools, context: RequestContext, customerId: string): Promise<readonly string[]> {
  const customer = await tools.stateOf<'customer'>(customerStream(customerId));
  const { keyMissing, ...buyer } = await openRow(tools, context, (open) => openedBuyer(customer, open));
  return keyMissing ? [...buyerLines(buyer), '(more cannot be shown until a key is restored)'] : buyerLines(buyer);
}

/** What of a customer is on a receipt. */
export const openedBuyer = async (
  { name, businessAssociation, postalAddress }: CustomerState,
  open: <Value>(box: Sealed | undefined) => Promise<Value | null>,
) => ({
  name: await open<PersonName>(name),
  business: await open<string>(businessAssociation),
  postalAddress: await open<PostalAddress>(postalAddress),
});
