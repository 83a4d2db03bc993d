import type { Caller } from '#domain/kernel/caller';
import type { Sealed } from '#domain/kernel/events';
import type { EventStore } from '#event-store/port';
import type { MailGateway } from '#gateways/mail';
import type { RowQueries } from '#read-models/queries';
import type { Page } from '#read-models/queries/paging';
import type { Vault } from '#vault/vault';
import type { OperationDependencies } from './operations.ts';
import { type RequestDependencies, type RequestTools, requestTools } from './request-tools.ts';

export interface QueryDependencies extends RequestDependencies, OperationDependencies {
  readonly events: EventStore;
  /** Undefined where this program sends no mails. */
  readonly mails: MailGateway | undefined;
}

/** What all queries are made with. */
export interface QueryTools extends QueryDependencies, RequestTools {
  /** Rows of the read models. Each statement finds only those that the caller may see. */
  readonly rows: RowQueries;
}

export const queryTools = (dependencies: QueryDependencies): QueryTools => ({
  ...dependencies,
  ...requestTools(dependencies),
  rows: dependencies.readModels.queries,
});

/** @returns null for a value that was never given or was erased */
export const openBox = async <Value>({ vault }: { vault: Vault }, box: Sealed | null | undefined) =>
  ((box && (await vault.open(box))) ?? null) as Value | null;

/** A row with some of its sealed columns opened. */
export type OpenedRow<Row, Values> = Omit<Row, keyof Values> & {
  readonly [Column in keyof Values]: Values[Column] | null;
};

/** @typeParam Values what is in the boxes of the columns */
export async function openColumns<Row, Values>(
  tools: { vault: Vault },
  row: Row,
  columns: readonly (keyof Values & keyof Row)[],
): Promise<OpenedRow<Row, Values>> {
  const opened = columns.map(async (column) => [column, await openBox(tools, row[column] as Sealed | null)] as const);
  return { ...row, ...Object.fromEntries(await Promise.all(opened)) } as OpenedRow<Row, Values>;
}

/** The same list, with each row opened. */
export const listOpened =
  <Request, Row, Opened>(
    list: (caller: Caller, request: Request) => Promise<Page<Row>>,
    open: (row: Row) => Promise<Opened>,
  ) =>
  async (caller: Caller, request: Request): Promise<Page<Opened>> => {
    const page = await list(caller, request);
    return { ...page, items: await Promise.all(page.items.map(open)) };
  };
