import { customerStream } from '#domain/accounts/customer';
import { checkoutStream } from '#domain/checkouts/checkout';
import { isVisitor, scopeOf } from '#domain/kernel/caller';
import { type Refusal, refuse } from '#domain/kernel/decider';
import { anyone, type Described, described, processOnly, refuseStranger, staff, support } from '#domain/kernel/rights';
import { programmeStream } from '#domain/loyalty/programme';
import { orderStream } from '#domain/orders/order';
import { replacementStream } from '#domain/replacements/replacement';
import { administrator } from '#domain/staff/staff';
import { ticketStream } from '#domain/support/ticket';
import type { Operations } from './operations.ts';
import type { OwnedStream, OwnerOf } from './owners.ts';
import type { Queries, RequestOf } from './queries.ts';
import type { RequestContext } from './request-tools.ts';

interface AskedQuery<Request> extends RequestContext {
  readonly request: Request;
  readonly ownerOf: OwnerOf;
}

/** @returns why the caller may not ask this; undefined when it may */
export type QueryRule<Request = unknown> = Described &
  ((asked: AskedQuery<Request>) => Refusal | undefined | Promise<Refusal | undefined>);

/** Nobody is told whether something exists before they say who they are. */
const refuseVisitor = ({ caller }: RequestContext): Refusal | undefined =>
  isVisitor(caller) ? refuse('sign-in-needed', 'sign in first, or send the key of a program') : undefined;

const whoSaysWho = (what: string): QueryRule =>
  described(`whoever says who asks, ${what}`, (asked: RequestContext) => refuseVisitor(asked));

const ownSessions = whoSaysWho('about themselves');

/** Each statement finds only the rows that the caller may see. */
const onlyVisibleRows = whoSaysWho('only rows that the caller may see');

/** Each follower gets only the changes of what it may see. */
const onlyVisibleChanges = whoSaysWho('only changes that the caller may see');

/** For reads of a stream. Its owner is not looked up for callers who may ask about everything. */
const ownedBy = <Request>(rule: string, streamOf: (request: Request) => OwnedStream): QueryRule<Request> =>
  described(
    'its customer; staff',
    async (asked) => {
      const refusal = refuseVisitor(asked);
      if (refusal || scopeOf(asked.caller) === 'all') return refusal;
      return refuseStranger(await asked.ownerOf(streamOf(asked.request)), asked, rule);
    },
    rule,
  );

/** An account that does not exist is refused to other customers as well. */
const ownAccount: QueryRule<{ customerId: string }> = described(
  'its customer; staff',
  async (asked) => {
    const { customerId } = asked.request;
    const refusal = refuseVisitor(asked);
    if (refusal) return refusal;
    return refuseStranger((await asked.ownerOf(customerStream(customerId))) ?? { customerId }, asked, 'ACC-4');
  },
  'ACC-4',
);

/** The link was sent only to the address of the customer: the query checks its token. */
const whoHasLink: QueryRule = described('whoever has the link in the mail', () => undefined, 'ACC-7');

const ownCheckout = ownedBy<{ checkoutId: string }>('CHK-1', ({ checkoutId }) => checkoutStream(checkoutId));
const ownOrder = ownedBy<{ orderId: string }>('BCK-2', ({ orderId }) => orderStream(orderId));
const ownProgramme = ownedBy<{ orderId: string }>('BCK-3', ({ orderId }) => programmeStream(orderId));
const ownTicket = ownedBy<{ ticketId: string }>('SUP-1', ({ ticketId }) => ticketStream(ticketId));
const ownReturn = ownedBy<{ replacementId: string }>('RPL-1', ({ replacementId }) => replacementStream(replacementId));

/** SUP-2: the query records the access with a command, whose right decides who may look. It does not know stores. */
const recordedLook: QueryRule<{ customerId: string }> = described(
  'who may ask for ShowCustomerHistory',
  async (asked) => {
    const scope = scopeOf(asked.caller);
    if (typeof scope !== 'object' || !('stores' in scope)) return undefined;
    return refuseStranger(await asked.ownerOf(customerStream(asked.request.customerId)), asked, 'SUP-2');
  },
  'SUP-2',
);

/** For all that is held about a person, whichever store has it. */
const supportWithReason: QueryRule = described(
  'support of all stores, with a reason',
  (asked) => support('SUP-2')(asked) ?? staffOfAllStores(asked),
  'SUP-2',
);

/** For what belongs to no store. */
const staffOfAllStores: QueryRule = described('staff of all stores', (asked) => {
  const refusal = staff()(asked);
  if (refusal || scopeOf(asked.caller) === 'all') return refusal;
  return refuse('staff-only', 'only staff of all stores may do this');
});

export type QueryRights = {
  readonly [Subject in keyof Queries]: {
    readonly [Name in keyof Queries[Subject]]: QueryRule<RequestOf<Queries[Subject][Name]>>;
  };
};

/** THE table of queries: who may ask for what. A query without a line here does not compile. */
export const queryRights = {
  catalogue: {
    listStores: anyone,
    getStore: anyone,
    getStatementDescriptor: anyone,
    listLeadTypes: anyone,
    getLeadType: anyone,
    listPrices: anyone,
    listPriceHistory: staff('CAT-3'),
    history: staff('CAT-5'),
  },
  policy: { get: anyone, listVersions: staff('POL-2'), listDecisions: staffOfAllStores },
  accounts: { list: onlyVisibleRows, get: onlyVisibleRows },
  businessMerges: { list: staffOfAllStores },
  leadDelivery: { get: ownAccount },
  checkouts: { get: ownCheckout },
  coupons: { list: staff('CPN-3'), get: staff('CPN-3'), listUses: staff('CPN-4') },
  orders: { list: onlyVisibleRows, get: onlyVisibleRows, getByLink: whoHasLink, history: ownOrder },
  refunds: {
    list: onlyVisibleRows,
    get: onlyVisibleRows,
    disputes: onlyVisibleRows,
    paymentsNamed: support('CHK-6'),
    told: processOnly,
  },
  receipts: {
    list: onlyVisibleRows,
    get: onlyVisibleRows,
    sheet: onlyVisibleRows,
    listTaxes: anyone,
    listTaxHistory: staff('CHK-8'),
  },
  programmes: { list: onlyVisibleRows, get: onlyVisibleRows, history: ownProgramme },
  leads: { get: onlyVisibleRows, history: staffOfAllStores, listStock: onlyVisibleRows },
  deliveredLeads: { list: onlyVisibleRows, get: onlyVisibleRows, download: onlyVisibleRows },
  returns: { list: onlyVisibleRows, get: onlyVisibleRows, history: ownReturn },
  mails: { list: onlyVisibleRows, get: onlyVisibleRows, getCopy: onlyVisibleRows, listNewest: onlyVisibleRows },
  webhooks: { list: onlyVisibleRows, get: onlyVisibleRows },
  suppressions: { listLists: staffOfAllStores },
  support: {
    listTickets: onlyVisibleRows,
    getTicket: onlyVisibleRows,
    ticketHistory: ownTicket,
    listWholeHistory: recordedLook,
  },
  persons: { export: supportWithReason },
  staff: { list: administrator },
  apiKeys: { list: administrator },
  sessions: { list: ownSessions },
  attention: { list: onlyVisibleRows },
  changes: { follow: onlyVisibleChanges },
  // Tools that watch the programs do not sign in.
  operations: {
    getHealth: anyone,
    getReadiness: anyone,
    getMeasurements: anyone,
    listParkedItems: staff(),
    listDamagedStreams: staff(),
    listReadModels: staff(),
  },
} satisfies QueryRights;

export type OperationRights = { readonly [Name in keyof Operations]: QueryRule<RequestOf<Operations[Name]>> };

/** THE table of operations: who may do what to the programs. An operation without a line here does not compile. */
export const operationRights = {
  // Sign-in itself: the caller is not known yet.
  signIn: anyone,
  endSession: ownSessions,
  endOtherSessions: ownSessions,
  erasePerson: supportWithReason,
  liftSuppressions: supportWithReason,
  decideMissedRenewals: support('LOY-10'),
  retryParkedItem: staff(),
  pauseReadModel: staff(),
  resumeReadModel: staff(),
  retryReadModel: staff(),
  rebuildReadModel: staff(),
  cancelReadModelRebuild: staff(),
} satisfies OperationRights;
