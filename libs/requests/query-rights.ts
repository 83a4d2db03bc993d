import { checkoutStream, customerOfCheckout } from '#domain/checkouts/checkout';
import type { Caller } from '#domain/kernel/caller';
import type { Refusal } from '#domain/kernel/decider';
import { actsForStore, anyone, type Described, described, refuseStranger, staff } from '#domain/kernel/rights';
import { customerOfProgramme, programmeStream } from '#domain/loyalty/programme';
import { customerOfOrder, orderStream } from '#domain/orders/order';
import { replacementStream } from '#domain/replacements/replacement';
import { customerOfTicket, ticketStream } from '#domain/support/ticket';
import type { Operations } from './operations.ts';
import type { Queries, RequestOf } from './queries.ts';
import type { RequestTools } from './request-tools.ts';

interface AskedQuery<Request> extends Pick<RequestTools, 'stateOf'> {
  readonly caller: Caller;
  readonly request: Request;
}

/** @returns why the caller may not ask this; undefined when it may */
export type QueryRule<Request = unknown> = Described &
  ((asked: AskedQuery<Request>) => Refusal | undefined | Promise<Refusal | undefined>);

/** Everybody may ask: each statement finds only the rows that the caller may see. */
const onlyVisibleRows: QueryRule = described('anyone, only rows that the caller may see', () => undefined);

/** Everybody may ask: each follower gets only the changes of what it may see. */
const onlyVisibleChanges: QueryRule = described('anyone, only changes that the caller may see', () => undefined);

/** The query records the access with a command, and the table of commands decides who may send it (SUP-2). */
const recordedLook: QueryRule = described('who may ask for ShowCustomerHistory', () => undefined, 'SUP-2');

const ownAccount: QueryRule<{ customerId: string }> = described(
  'its customer; staff',
  (asked) => refuseStranger(asked.request.customerId, asked, 'ACC-4'),
  'ACC-4',
);

type CustomerOf<Request> = (request: Request, stateOf: RequestTools['stateOf']) => Promise<string | undefined>;

/** For reads of a stream that names its customer. The stream is not loaded for callers who may ask about every customer. */
const ownedBy = <Request>(rule: string, customerOf: CustomerOf<Request>): QueryRule<Request> =>
  described(
    'its customer; staff',
    async (asked) =>
      actsForStore(asked.caller)
        ? undefined
        : refuseStranger(await customerOf(asked.request, asked.stateOf), asked, rule),
    rule,
  );

const ownCheckout = ownedBy<{ checkoutId: string }>('CHK-1', async ({ checkoutId }, stateOf) =>
  customerOfCheckout(await stateOf<'checkout'>(checkoutStream(checkoutId))),
);

const ownOrder = ownedBy<{ orderId: string }>('BCK-2', async ({ orderId }, stateOf) =>
  customerOfOrder(await stateOf<'order'>(orderStream(orderId))),
);

const ownProgramme = ownedBy<{ orderId: string }>('BCK-3', async ({ orderId }, stateOf) =>
  customerOfProgramme(await stateOf<'programme'>(programmeStream(orderId))),
);

const ownTicket = ownedBy<{ ticketId: string }>('SUP-1', async ({ ticketId }, stateOf) =>
  customerOfTicket(await stateOf<'ticket'>(ticketStream(ticketId))),
);

/** A return belongs to the customer of its order. */
const ownReturn = ownedBy<{ replacementId: string }>('RPL-1', async ({ replacementId }, stateOf) => {
  const { status, orderId } = await stateOf<'replacement'>(replacementStream(replacementId));
  return status === 'unknown' ? undefined : customerOfOrder(await stateOf<'order'>(orderStream(orderId)));
});

export type QueryRights = {
  readonly [Subject in keyof Queries]: {
    readonly [Name in keyof Queries[Subject]]: QueryRule<RequestOf<Queries[Subject][Name]>>;
  };
};

/** THE table of queries: who may ask for what. A query without a line here does not compile. */
export const queryRights = {
  catalogue: { listStores: anyone, getStatementDescriptor: anyone, listLeadTypes: anyone, listPrices: anyone },
  policy: { get: anyone, listVersions: anyone },
  accounts: { list: onlyVisibleRows, get: onlyVisibleRows },
  // Sign-in itself: the caller is not known yet.
  passwords: { signIn: anyone },
  leadDelivery: { get: ownAccount },
  checkouts: { get: ownCheckout },
  coupons: { get: staff('CPN-3') },
  orders: { list: onlyVisibleRows, get: onlyVisibleRows, history: ownOrder },
  programmes: { list: onlyVisibleRows, get: onlyVisibleRows, history: ownProgramme },
  leads: { get: onlyVisibleRows, history: staff(), listStock: onlyVisibleRows },
  deliveredLeads: { list: onlyVisibleRows, get: onlyVisibleRows, download: onlyVisibleRows },
  returns: { list: onlyVisibleRows, get: onlyVisibleRows, history: ownReturn },
  mails: { list: onlyVisibleRows, get: onlyVisibleRows, getCopy: onlyVisibleRows, listNewest: onlyVisibleRows },
  webhooks: { list: onlyVisibleRows, get: onlyVisibleRows },
  support: {
    listTickets: onlyVisibleRows,
    getTicket: onlyVisibleRows,
    ticketHistory: ownTicket,
    listWholeHistory: recordedLook,
  },
  attention: { list: onlyVisibleRows },
  changes: { follow: onlyVisibleChanges },
  // Tools that watch the programs do not sign in.
  operations: { getHealth: anyone, getMeasurements: anyone, listParkedItems: staff(), listReadModels: staff() },
} satisfies QueryRights;

export type OperationRights = { readonly [Name in keyof Operations]: QueryRule<RequestOf<Operations[Name]>> };

/** THE table of operations: who may do what to the programs. An operation without a line here does not compile. */
export const operationRights = {
  retryParkedItem: staff(),
  pauseReadModel: staff(),
  resumeReadModel: staff(),
  retryReadModel: staff(),
  rebuildReadModel: staff(),
  cancelReadModelRebuild: staff(),
} satisfies OperationRights;
