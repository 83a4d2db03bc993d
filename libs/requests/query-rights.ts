import { customerStream } from '#domain/accounts/customer';
import { signInRights } from '#domain/accounts/sign-ins';
import { checkoutStream } from '#domain/checkouts/checkout';
import { type StaffRole, scopeOf } from '#domain/kernel/caller';
import { type Refusal, refuse } from '#domain/kernel/decider';
import {
  anyone,
  beforeFactor,
  bringingLeads,
  type Described,
  described,
  freshFactor,
  inWords,
  processOnly,
  refuseOtherRoles,
  refuseStaffBut,
  refuseStranger,
  refuseVisitor,
  staffWith,
  support,
} from '#domain/kernel/rights';
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

const aboutThemselves: QueryRule = beforeFactor(
  described('whoever says who asks, about themselves', (asked: RequestContext) => refuseVisitor(asked)),
);

/** Each statement finds only the rows that the caller may see: those of the customer, or of the stores of these roles. */
const visibleRows = (...roles: readonly StaffRole[]): QueryRule =>
  described(
    `customers and ${inWords(roles)}, only rows that they may see`,
    (asked: RequestContext) => refuseVisitor(asked) ?? refuseStaffBut(asked.caller, roles),
  );

/** Each follower gets only the changes of what it may see. */
const visibleChanges = visibleRows('support', 'auditor', 'operator');

/** For reads of a stream. Its owner is not looked up for callers who may ask about everything. */
const ownedBy = <Request>(
  rule: string,
  roles: readonly StaffRole[],
  streamOf: (request: Request) => OwnedStream,
): QueryRule<Request> =>
  described(
    `its customer; ${inWords(roles)}`,
    async (asked) => {
      const refusal = refuseVisitor(asked) ?? refuseStaffBut(asked.caller, roles, rule);
      if (refusal || scopeOf(asked.caller) === 'all') return refusal;
      return refuseStranger(await asked.ownerOf(streamOf(asked.request)), asked, rule);
    },
    rule,
  );

/** An account that does not exist is refused to other customers as well. */
const ownAccount: QueryRule<{ customerId: string }> = described(
  'its customer; support',
  async (asked) => {
    const { customerId } = asked.request;
    const refusal = refuseVisitor(asked) ?? refuseStaffBut(asked.caller, ['support'], 'ACC-4');
    if (refusal) return refusal;
    return refuseStranger((await asked.ownerOf(customerStream(customerId))) ?? { customerId }, asked, 'ACC-4');
  },
  'ACC-4',
);

/** The link was sent only to the address of the customer: the query checks its token. */
const whoHasLink: QueryRule = described('whoever has the link in the mail', () => undefined, 'ACC-7');

const ownCheckout = ownedBy<{ checkoutId: string }>('CHK-1', ['support'], ({ checkoutId }) =>
  checkoutStream(checkoutId),
);
const ownOrder = ownedBy<{ orderId: string }>('BCK-2', ['support', 'auditor'], ({ orderId }) => orderStream(orderId));
const ownProgramme = ownedBy<{ orderId: string }>('BCK-3', ['support', 'auditor'], ({ orderId }) =>
  programmeStream(orderId),
);
const ownTicket = ownedBy<{ ticketId: string }>('SUP-1', ['support'], ({ ticketId }) => ticketStream(ticketId));
const ownReturn = ownedBy<{ replacementId: string }>('RPL-1', ['support', 'verifier', 'auditor'], ({ replacementId }) =>
  replacementStream(replacementId),
);

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
const supportWithReason = described(
  'support of all stores, with a reason',
  (asked: RequestContext) => support('SUP-2')(asked) ?? ofAllStores('support')(asked),
  'SUP-2',
);

const freshSupportWithReason: QueryRule = freshFactor(supportWithReason);

/** For what belongs to no store. */
const ofAllStores = (...roles: readonly StaffRole[]) =>
  described(`${inWords(roles)} of all stores`, ({ caller }: RequestContext) => {
    const refusal = refuseOtherRoles(caller, roles);
    if (refusal || scopeOf(caller) === 'all') return refusal;
    return refuse('staff-only', 'only staff of all stores may do this');
  });

/** Of programs, the query finds only what they brought. */
const ownVerdict: QueryRule = described(
  `${bringingLeads('DLV-11').who}; programs only about leads that they brought`,
  (asked: RequestContext) => bringingLeads('DLV-11')(asked),
  'DLV-11',
);

const orderRows = visibleRows('support', 'auditor');

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
    listPriceHistory: staffWith(['catalogue-manager', 'auditor'], 'CAT-3'),
    history: staffWith(['catalogue-manager', 'auditor'], 'CAT-5'),
  },
  policy: {
    get: anyone,
    listVersions: staffWith(['administrator', 'auditor'], 'POL-2'),
    listDecisions: ofAllStores('administrator', 'auditor'),
  },
  accounts: { list: visibleRows('support'), get: visibleRows('support') },
  businessMerges: { list: ofAllStores('support', 'auditor') },
  leadDelivery: { get: ownAccount },
  checkouts: { get: ownCheckout },
  coupons: {
    list: staffWith(['catalogue-manager', 'support', 'auditor'], 'CPN-3'),
    get: staffWith(['catalogue-manager', 'support', 'auditor'], 'CPN-3'),
    listUses: staffWith(['support', 'auditor'], 'CPN-4'),
  },
  orders: { list: orderRows, get: orderRows, getByLink: whoHasLink, history: ownOrder },
  refunds: {
    list: orderRows,
    get: orderRows,
    disputes: orderRows,
    paymentsNamed: support('CHK-6'),
    told: processOnly,
  },
  receipts: {
    list: visibleRows('support', 'auditor'),
    get: visibleRows('support', 'auditor'),
    sheet: visibleRows('support'),
    listTaxes: anyone,
    listTaxHistory: staffWith(['administrator', 'auditor'], 'CHK-8'),
  },
  programmes: { list: orderRows, get: orderRows, history: ownProgramme },
  leads: {
    get: visibleRows('support', 'verifier'),
    verdict: ownVerdict,
    history: ofAllStores('support', 'auditor'),
    listStock: visibleRows('catalogue-manager', 'support', 'analyst', 'operator'),
  },
  deliveredLeads: {
    list: visibleRows('support', 'verifier'),
    get: visibleRows('support', 'verifier'),
    download: visibleRows('support'),
  },
  returns: {
    list: visibleRows('support', 'verifier', 'auditor'),
    get: visibleRows('support', 'verifier', 'auditor'),
    history: ownReturn,
  },
  mails: {
    list: visibleRows('support'),
    get: visibleRows('support'),
    getCopy: visibleRows('support'),
    listNewest: visibleRows('support'),
  },
  webhooks: { list: visibleRows('support', 'operator'), get: visibleRows('support', 'operator') },
  suppressions: { listLists: ofAllStores('support') },
  support: {
    listTickets: visibleRows('support'),
    getTicket: visibleRows('support'),
    ticketHistory: ownTicket,
    listWholeHistory: recordedLook,
  },
  persons: { export: freshSupportWithReason },
  staff: { list: administrator },
  apiKeys: { list: administrator },
  sessions: { list: aboutThemselves, listSignIns: aboutThemselves, listOf: administrator },
  factors: { get: aboutThemselves },
  attention: { list: visibleRows('support', 'operator', 'auditor', 'administrator') },
  changes: { follow: visibleChanges },
  // Tools that watch the programs do not sign in.
  operations: {
    getHealth: anyone,
    getReadiness: anyone,
    getMeasurements: anyone,
    listParkedItems: staffWith(['operator']),
    listDamagedStreams: staffWith(['operator', 'auditor']),
    listReadModels: staffWith(['operator']),
  },
} satisfies QueryRights;

export type OperationRights = { readonly [Name in keyof Operations]: QueryRule<RequestOf<Operations[Name]>> };

/** THE table of operations: who may do what to the programs. An operation without a line here does not compile. */
export const operationRights = {
  // Sign-in itself: the caller is not known yet.
  signIn: anyone,
  signInWithPasskey: anyone,
  beginPasskeySignIn: anyone,
  endSession: aboutThemselves,
  endOtherSessions: aboutThemselves,
  endSessionsOf: signInRights.EndSessions,
  // Each sends a command, whose right decides.
  addTotp: aboutThemselves,
  addPasskey: aboutThemselves,
  beginPasskey: aboutThemselves,
  beginPasskeyProof: aboutThemselves,
  removeFactor: aboutThemselves,
  changeOwnPassword: aboutThemselves,
  proveFactor: aboutThemselves,
  erasePerson: freshSupportWithReason,
  liftSuppressions: supportWithReason,
  decideMissedRenewals: support('LOY-10'),
  retryParkedItem: staffWith(['operator']),
  pauseReadModel: staffWith(['operator']),
  resumeReadModel: staffWith(['operator']),
  retryReadModel: staffWith(['operator']),
  rebuildReadModel: staffWith(['operator']),
  cancelReadModelRebuild: staffWith(['operator']),
} satisfies OperationRights;
