import { z } from 'zod';
import { type Caller, isStaff } from '#domain/kernel/caller';
import type { Sealed } from '#domain/kernel/events';
import type { EventStore } from '#event-store/port';
import { readsInTurn } from '#event-store/reads-in-turn';
import type { MailGateway } from '#gateways/mail';
import type { PaymentNotices } from '#gateways/payment-notices';
import type { RowQueries } from '#read-models/queries';
import type { Page } from '#read-models/queries/paging';
import type { SessionStore } from '#sessions/session-store';
import { CannotOpenBox, forReaders, NotForCaller } from '#vault/vault';
import { type HistoryReader, historyReader } from './histories.ts';
import type { Identities } from './identities.ts';
import type { OperationDependencies } from './operations.ts';
import { type OwnerOf, Owners } from './owners.ts';
import { RecordedReads } from './recorded-reads.ts';
import type { RequestContext, RequestDependencies, RequestTools } from './request-tools.ts';

export interface QueryDependencies extends RequestDependencies, OperationDependencies {
  readonly events: EventStore;
  /** Undefined where this program sends no mails. */
  readonly mails: MailGateway | undefined;
  /** What the payment provider tells by itself. */
  readonly notices: PaymentNotices;
  /** Who is signed in. */
  readonly sessions: SessionStore;
  readonly identities: Identities;
  /** How long something may fail before the health is degraded, and it is listed. Default: ten minutes. */
  readonly failingMilliseconds?: number;
}

/** What queries are made with. The log, the vault and commands are not among them: few queries need more than these. */
export interface QueryTools extends Pick<RequestTools, 'streams' | 'stateOf' | 'now'> {
  /** Rows of the read models. Each statement finds only those that the caller may see. */
  readonly rows: RowQueries;
  readonly histories: HistoryReader;
  readonly ownerOf: OwnerOf;
  readonly owners: Owners;
  readonly open: OpenBox;
}

/**
 * Opens a sealed box for a caller. Queries open boxes only with this function: what staff see is recorded before it is shown.
 * @returns undefined for a value that was erased. @throws NotForCaller, and what the vault throws
 */
export type OpenBox = (context: RequestContext, box: Sealed) => Promise<unknown>;

export function queryTools(dependencies: QueryDependencies) {
  const { vault, readModels, streams, clock } = dependencies;
  const events = readsInTurn(dependencies.events);
  const owners = new Owners({ events, rows: readModels.queries });
  const shown = forReaders(vault);
  const recorded = new RecordedReads(dependencies);
  const open: OpenBox = async (context, box) => {
    if (!mayOpen(context)) throw new NotForCaller();
    const content = await shown.open(box);
    if (content !== undefined) await recorded.before(context, box);
    return content;
  };
  return {
    ...dependencies,
    events,
    now: () => clock.now(),
    stateOf: async (stream) => (await streams.read(stream)).state,
    rows: readModels.queries,
    histories: historyReader(events, open),
    ownerOf: owners.of,
    owners,
    open,
  } satisfies QueryTools & QueryDependencies;
}

/** Customers see what is theirs. Of staff, those see personal data who work with it, and others where the look is recorded. */
const mayOpen = ({ caller: { roles }, opensBoxes }: RequestContext): boolean =>
  opensBoxes || !isStaff(roles) || roles.includes('support') || roles.includes('verifier');

/** For what does not depend on the caller: whoever has the right to ask gets the same. The right was checked before. */
export const sameForAll =
  <Answer, Request = void>(ask: (request: Request) => Promise<Answer>) =>
  (_context: RequestContext, request: Request): Promise<Answer> =>
    ask(request);

/** Rows as the read models have them. */
export const asRows =
  <Request, Rows>(read: (caller: Caller, request: Request) => Promise<Rows>) =>
  ({ caller }: RequestContext, request: Request): Promise<Rows> =>
    read(caller, request);

/** @returns null for a value that was never given, was erased, or cannot be opened */
type OpenValue = <Value>(box: Sealed | null | undefined) => Promise<Value | null>;

/** Marks an answer that has a value which cannot be opened, because its key is missing, or its key or box is damaged. */
export const keyMissing = z
  .boolean()
  .describe(
    'True when the key of a value is missing or damaged: the value is null until the key is restored from a backup.',
  );

interface Marked {
  readonly keyMissing: boolean;
}

/** Opens the boxes of one row. A missing or damaged key costs the value in its box, and marks the row. */
export async function openRow<Opened extends object>(
  { open }: Pick<QueryTools, 'open'>,
  context: RequestContext,
  openBoxes: (openValue: OpenValue) => Promise<Opened>,
): Promise<Opened & Marked> {
  let isMissing = false;
  const opened = await openBoxes(async <Value>(box: Sealed | null | undefined) => {
    try {
      return ((box && (await open(context, box))) ?? null) as Value | null;
    } catch (error) {
      if (!(error instanceof CannotOpenBox)) throw error;
      isMissing ||= !(error instanceof NotForCaller);
      return null;
    }
  });
  return { ...opened, keyMissing: isMissing };
}

/** A row with some of its sealed columns opened. */
export type OpenedRow<Row, Values> = Omit<Row, keyof Values> & {
  readonly [Column in keyof Values]: Values[Column] | null;
} & Marked;

/** @typeParam Values what is in the boxes of the columns */
export const openColumns = <Row, Values>(
  tools: Pick<QueryTools, 'open'>,
  context: RequestContext,
  row: Row,
  columns: readonly (keyof Values & keyof Row)[],
): Promise<OpenedRow<Row, Values>> =>
  openRow(tools, context, async (openValue) => {
    const opened = columns.map(async (column) => [column, await openValue(row[column] as Sealed | null)] as const);
    return { ...row, ...Object.fromEntries(await Promise.all(opened)) } as Omit<OpenedRow<Row, Values>, 'keyMissing'>;
  }) as Promise<OpenedRow<Row, Values>>;

/** The same list, with each row opened. */
export const listOpened =
  <Request, Row, Opened>(
    list: (caller: Caller, request: Request) => Promise<Page<Row>>,
    open: (context: RequestContext, row: Row) => Promise<Opened>,
  ) =>
  async (context: RequestContext, request: Request): Promise<Page<Opened>> => {
    const page = await list(context.caller, request);
    return { ...page, items: await Promise.all(page.items.map((row) => open(context, row))) };
  };
