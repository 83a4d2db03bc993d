import { isDeepStrictEqual } from 'node:util';
import { noName } from '#domain/accounts/customer';
import type { Fact } from '#domain/codec';
import { isTimeZone } from '#domain/kernel/local-days';
import { type FamilyName, familyOf, ledger, type StateOf } from '#domain/ledger';
import type { AnyTable, Table } from '#read-models/engine/model';
import { take } from '#read-models/engine/project';
import { Rows } from '#read-models/engine/rows';
import { models } from '#read-models/models';
import { type CouponUseRow, couponUseTable } from '#read-models/models/coupons';
import { type CustomerRow, customerTable } from '#read-models/models/customers';
import { type CouponRow, couponTable } from '#read-models/models/defined-coupons';
import { type DeliveredLeadRow, deliveredLeadTable, type LeadRow, leadTable } from '#read-models/models/leads';
import { type MailRow, mailTable } from '#read-models/models/mails';
import { type OrderRow, orderTable } from '#read-models/models/orders';
import { type ProgrammeRow, programmeTable, type RenewalRow, renewalTable } from '#read-models/models/programmes';
import { type DisputeRow, disputeTable, type RefundRow, refundTable } from '#read-models/models/refunds';
import { type ReplacementRow, replacementTable } from '#read-models/models/replacements';
import { type TicketRow, ticketTable } from '#read-models/models/tickets';
import { type WebhookRow, webhookTable } from '#read-models/models/webhooks';

/*
 * What a read model shows of a thing, and what the fold of its stream says, which its history shows. Each column is
 * either said by the fold, too, or named here as one that only the row has.
 */

/** The folds of all streams. A stream without events has its initial state. */
type StateOfStream = <Name extends FamilyName>(family: Name, id: string) => StateOf<Name>;

/** The column as the fold says it. Undefined: it does not say it about this row. */
type Said<Row> = (row: Row, state: StateOfStream) => unknown;

interface Comparison<Row extends object = Record<string, unknown>> {
  readonly table: Table<Row>;
  readonly columns: { readonly [Column in keyof Row]: Said<Row> | 'only in the row' };
}

const only = 'only in the row';
const sum = (amounts: readonly number[]): number => amounts.reduce((total, amount) => total + amount, 0);
/** The fold says whether, the row says when: `since` compares only whether. */
const whether = (isSo: boolean, when: unknown): unknown => (isSo ? (when ?? 'an instant') : null);

const termsOf = (row: OrderRow, state: StateOfStream) => state('order', row.orderId).terms;
const refundsOf = (row: OrderRow, state: StateOfStream, done: boolean) =>
  sum(
    [...state('order', row.orderId).refunds.values()]
      .filter(({ status }) => (status === 'done') === done)
      .map(({ amountCents }) => amountCents),
  );

const orderColumns: Comparison<OrderRow>['columns'] = {
  orderId: only,
  customerId: (row, state) => termsOf(row, state)?.customerId,
  storeId: (row, state) => termsOf(row, state)?.storeId,
  leadTypeId: (row, state) => termsOf(row, state)?.leadTypeId,
  status: (row, state) => state('order', row.orderId).status,
  quantity: (row, state) => termsOf(row, state)?.quantity,
  bonusLeads: (row, state) => termsOf(row, state)?.bonusLeads,
  orderedLeads: (row, state) => state('order', row.orderId).orderedLeads,
  renewals: (row, state) => state('order', row.orderId).renewals,
  loyaltyCadence: (row, state) => termsOf(row, state)?.loyalty?.cadence ?? null,
  dailyMaximum: (row, state) => termsOf(row, state)?.dailyMaximum ?? null,
  timeZone: (row, state) => termsOf(row, state)?.timeZone,
  pricePerLeadCents: (row, state) => termsOf(row, state)?.pricePerLeadCents,
  totalCents: only,
  currency: (row, state) => termsOf(row, state)?.currency,
  statementDescriptor: (row, state) => termsOf(row, state)?.statementDescriptor,
  policyVersion: (row, state) => termsOf(row, state)?.policyVersion,
  deliveredLeads: (row, state) => state('order', row.orderId).deliveredLeads,
  replacementsOwed: (row, state) => state('order', row.orderId).owed.size,
  replacementsDelivered: ({ orderId }, state) =>
    state('order', orderId).receipts.size - state('order', orderId).deliveredLeads,
  placedAt: only,
  paidAt: (row, state) => whether(state('order', row.orderId).paid, row.paidAt),
  pausedAt: (row, state) => whether(state('order', row.orderId).status === 'paused', row.pausedAt),
  restartsAt: only,
  lastDeliveredAt: (row, state) => {
    const receipts = [...state('order', row.orderId).receipts.values()];
    return receipts.sort().at(-1) ?? null;
  },
  waitingSince: only,
  closedAt: ({ orderId, closedAt }, state) =>
    whether(['filled', 'cancelled', 'payment-failed'].includes(state('order', orderId).status), closedAt),
  declineReason: ({ orderId, declineReason }, state) =>
    whether(state('order', orderId).status === 'payment-failed', declineReason),
  paymentUnknownSince: ({ orderId, paymentUnknownSince }, state) =>
    whether(state('order', orderId).paymentUnknown || state('programme', orderId).isUnknown, paymentUnknownSince),
  timeZoneUnknownSince: (row, state) =>
    whether(!isTimeZone(termsOf(row, state)?.timeZone ?? ''), row.timeZoneUnknownSince),
  refundedCents: (row, state) => refundsOf(row, state, true),
  refundsUnderWayCents: (row, state) => refundsOf(row, state, false),
  maximumReachedOn: only,
  revision: only,
};

const programmeColumns: Comparison<ProgrammeRow>['columns'] = {
  orderId: only,
  customerId: ({ orderId }, state) => state('order', orderId).terms?.customerId,
  storeId: ({ orderId }, state) => state('order', orderId).terms?.storeId,
  leadTypeId: ({ orderId }, state) => state('order', orderId).terms?.leadTypeId,
  status: ({ orderId }, state) => {
    const { status } = state('programme', orderId);
    return status === 'unknown' ? 'joining' : status;
  },
  statusCause: only,
  cadence: ({ orderId }, state) => state('order', orderId).terms?.loyalty?.cadence,
  cadenceDays: ({ orderId }, state) => state('order', orderId).terms?.loyalty?.cadenceDays,
  quantity: ({ orderId }, state) => state('order', orderId).terms?.quantity,
  joinedAt: only,
  nextDueAt: ({ orderId }, state) => {
    const { status, next } = state('programme', orderId);
    return status === 'unknown' || status === 'cancelled' ? null : next.dueAt;
  },
  nextRenewalNumber: ({ orderId }, state) => state('programme', orderId).next.number || 1,
  missedDueAt: ({ orderId }, state) => {
    const { next } = state('programme', orderId);
    return next.missed ? next.dueAt : null;
  },
  missedUnderWay: ({ orderId }, state) => {
    const { next, underWay } = state('programme', orderId);
    return next.missed && underWay !== undefined;
  },
  skippedRenewals: only,
  nextBonusPercent: only,
  nextBonusLeads: only,
  nextBonusRule: only,
  pausesUsed: ({ orderId }, state) => state('order', orderId).pauses,
  pausesThatKeepTheLadder: ({ orderId }, state) => state('order', orderId).terms?.loyalty?.pausesThatKeepTheLadder,
  revision: only,
};

/** The fold knows the renewal that comes next, or whose charge is under way. */
const nextOf = ({ orderId, renewalNumber }: RenewalRow, state: StateOfStream) => {
  const { next } = state('programme', orderId);
  return next.number === renewalNumber ? next : undefined;
};
const refundedOf = ({ orderId, renewalNumber }: RenewalRow, state: StateOfStream) =>
  sum(
    [...state('order', orderId).refunds.values()]
      .filter((refund) => refund.status === 'done' && refund.renewalNumber === renewalNumber)
      .map(({ amountCents }) => amountCents),
  );

const renewalColumns: Comparison<RenewalRow>['columns'] = {
  renewalId: only,
  orderId: only,
  renewalNumber: only,
  dueAt: (row, state) => nextOf(row, state)?.dueAt,
  announcedAt: (row, state) => {
    const next = nextOf(row, state);
    return next && whether(next.announced, row.announcedAt);
  },
  attempts: (row, state) => nextOf(row, state)?.attempts,
  declineReason: only,
  retryAt: (row, state) => {
    const next = nextOf(row, state);
    return next && (next.retryAt ?? null);
  },
  confirmableUntil: (row, state) => nextOf(row, state) && (state('programme', row.orderId).confirmableUntil ?? null),
  paidAt: ({ orderId, renewalNumber, paidAt }, state) =>
    whether(renewalNumber < state('programme', orderId).next.number, paidAt),
  reopenedAt: ({ orderId, renewalNumber, reopenedAt }, state) =>
    whether(renewalNumber <= state('order', orderId).renewals, reopenedAt),
  bonusLeads: only,
  bonusPercent: only,
  bonusRule: only,
  pausesCounted: only,
  totalCents: only,
  refundedCents: (row, state) => refundedOf(row, state),
};

const refundIn = ({ orderId, refundId }: RefundRow, state: StateOfStream) =>
  state('order', orderId).refunds.get(refundId);

const refundColumns: Comparison<RefundRow>['columns'] = {
  refundId: only,
  orderId: only,
  renewalNumber: (row, state) => refundIn(row, state)?.renewalNumber,
  paymentReference: (row, state) => state('order', row.orderId).payments.get(row.renewalNumber)?.reference,
  amountCents: (row, state) => refundIn(row, state)?.amountCents,
  currency: (row, state) => refundIn(row, state)?.currency,
  cause: only,
  status: (row, state) => {
    const status = refundIn(row, state)?.status;
    return status === 'done' && row.status === 'settled' ? 'settled' : status === 'done' ? 'made' : status;
  },
  attempts: (row, state) => refundIn(row, state)?.attempts,
  failure: only,
  retryAt: only,
  refundReference: only,
  wishedAt: only,
  doneAt: (row, state) => whether(refundIn(row, state)?.status === 'done', row.doneAt),
  changes: (row, state) => refundIn(row, state)?.changes,
};

const disputeIn = ({ orderId, disputeId }: DisputeRow, state: StateOfStream) =>
  state('order', orderId).disputes.get(disputeId);

const disputeColumns: Comparison<DisputeRow>['columns'] = {
  disputeId: only,
  orderId: only,
  renewalNumber: (row, state) => disputeIn(row, state)?.renewalNumber,
  paymentReference: (row, state) => state('order', row.orderId).payments.get(row.renewalNumber)?.reference,
  amountCents: (row, state) => disputeIn(row, state)?.amountCents,
  currency: (row, state) => disputeIn(row, state)?.currency,
  stage: (row, state) => disputeIn(row, state)?.stage,
  reason: only,
  toldAt: only,
};

const replacementOf = ({ replacementId }: ReplacementRow, state: StateOfStream) => state('replacement', replacementId);

const replacementColumns: Comparison<ReplacementRow>['columns'] = {
  replacementId: only,
  orderId: (row, state) => replacementOf(row, state).orderId,
  leadId: (row, state) => replacementOf(row, state).leadId,
  leadTypeId: only,
  customerId: (row, state) => replacementOf(row, state).customerId,
  storeId: only,
  status: (row, state) => replacementOf(row, state).status,
  // The one that the present verdict is about. A corrected verdict may be about an earlier request.
  reason: only,
  reasonLabel: only,
  note: (row, state) => replacementOf(row, state).requests.at(-1)?.note ?? null,
  deliveredAt: only,
  returnableUntil: only,
  requests: (row, state) => replacementOf(row, state).requests.length,
  requestedAt: (row, state) => replacementOf(row, state).requests.at(-1)?.requestedAt,
  dueAt: (row, state) => replacementOf(row, state).verifyBy,
  overdue: (row, state) => replacementOf(row, state).overdue,
  decidedAt: (row, state) => {
    const { status } = replacementOf(row, state);
    // One that ended, or was replaced after that, may have been decided before.
    return status === 'ended' || status === 'replaced' ? undefined : whether(status !== 'requested', row.decidedAt);
  },
  goodwill: (row, state) => replacementOf(row, state).goodwill,
  correctedAt: only,
  correctionRequestedAt: (row, state) =>
    whether(replacementOf(row, state).correction !== undefined, row.correctionRequestedAt),
  explanation: (row, state) => {
    const { status } = replacementOf(row, state);
    return status === 'ended' ? undefined : whether(status === 'denied', row.explanation);
  },
  replacementLeadId: (row, state) => whether(replacementOf(row, state).status === 'replaced', row.replacementLeadId),
  replacedAt: (row, state) => whether(replacementOf(row, state).status === 'replaced', row.replacedAt),
  policyVersion: only,
  revision: only,
};

const leadColumns: Comparison<LeadRow>['columns'] = {
  leadId: only,
  leadTypeId: ({ leadId }, state) => state('lead', leadId).leadTypeId,
  receivedLeadTypeId: only,
  agedAt: ({ leadId, agedAt }, state) => whether(state('lead', leadId).hasAged, agedAt),
  source: only,
  receivedAt: only,
  capturedAt: only,
  openPlaces: ({ leadId }, state) => state('lead', leadId).openPlaces,
  withdrawn: ({ leadId }, state) => state('lead', leadId).status === 'withdrawn',
  withdrawnAs: ({ leadId }, state) => state('lead', leadId).withdrawnAs ?? null,
  duplicateOf: ({ leadId }, state) => {
    const { status, holder } = state('lead', leadId);
    return status === 'duplicate' ? holder : null;
  },
  match: only,
  contact: only,
  consent: only,
  consentedAt: only,
  suppressedAt: ({ leadId, suppressedAt }, state) =>
    whether(state('lead', leadId).withdrawnAs === 'suppressed', suppressedAt),
  revision: only,
};

const deliveredLeadColumns: Comparison<DeliveredLeadRow>['columns'] = {
  deliveredLeadId: only,
  customerId: ({ orderId }, state) => state('order', orderId).terms?.customerId,
  leadId: only,
  orderId: only,
  storeId: ({ orderId }, state) => state('order', orderId).terms?.storeId,
  leadTypeId: only,
  deliveredAt: ({ orderId, leadId }, state) => state('order', orderId).receipts.get(leadId),
  returnableUntil: ({ orderId, leadId }, state) => {
    const promise = state('order', orderId).returnPromises.get(leadId);
    return promise && 'until' in promise ? promise.until : null;
  },
  localDay: only,
  forReplacementId: only,
  rating: ({ customerId, leadId }, state) => {
    const contact = state('contacts', customerId).contacts.get(leadId);
    return contact && (contact.rating ?? null);
  },
  suppressedAt: only,
};

const customerOf = ({ customerId }: CustomerRow, state: StateOfStream) => state('customer', customerId);

const customerColumns: Comparison<CustomerRow>['columns'] = {
  customerId: only,
  storeId: (row, state) => customerOf(row, state).storeId,
  businessAssociation: (row, state) => {
    const { businessAssociation } = customerOf(row, state);
    return businessAssociation === noName ? null : businessAssociation;
  },
  businessKey: (row, state) => customerOf(row, state).businessKey,
  timeZone: (row, state) => customerOf(row, state).timeZone,
  registeredAt: only,
  email: (row, state) => customerOf(row, state).email ?? null,
  newEmail: (row, state) => customerOf(row, state).emailChange?.email ?? null,
  name: (row, state) => customerOf(row, state).name ?? null,
  postalAddress: (row, state) => customerOf(row, state).postalAddress ?? null,
  emailProved: (row, state) => customerOf(row, state).addressIsProved === true,
  hasPassword: (row, state) => customerOf(row, state).verifier !== undefined,
  mailsOff: (row, state) => customerOf(row, state).mailsOff,
  revision: only,
};

const ticketColumns: Comparison<TicketRow>['columns'] = {
  ticketId: only,
  customerId: ({ ticketId }, state) => state('ticket', ticketId).customerId,
  storeId: only,
  status: ({ ticketId }, state) => state('ticket', ticketId).status,
  setAside: only,
  subject: only,
  messages: only,
  callBackTelephone: only,
  answerTo: only,
  openedAt: only,
  dueAt: ({ ticketId }, state) => state('ticket', ticketId).dueAt,
  overdue: ({ ticketId }, state) => state('ticket', ticketId).overdue,
  // One that is closed may have been answered before.
  answeredAt: ({ ticketId, answeredAt }, state) => {
    const { status } = state('ticket', ticketId);
    return status === 'closed' ? undefined : whether(status === 'answered', answeredAt);
  },
  closedAt: ({ ticketId, closedAt }, state) => whether(state('ticket', ticketId).status === 'closed', closedAt),
  policyVersion: only,
  revision: only,
};

const mailColumns: Comparison<MailRow>['columns'] = {
  mailId: only,
  revision: only,
  kind: ({ mailId }, state) => state('mail', mailId).wish?.kind,
  customerId: ({ mailId }, state) => state('mail', mailId).wish?.customerId,
  eventId: ({ mailId }, state) => state('mail', mailId).wish?.eventId,
  happenedAt: ({ mailId }, state) => state('mail', mailId).wish?.happenedAt,
  wishedAt: only,
  status: ({ mailId }, state) => state('mail', mailId).status,
  endedAt: ({ mailId, endedAt }, state) => whether(state('mail', mailId).status !== 'wished', endedAt),
  subject: ({ mailId, subject }, state) => whether(state('mail', mailId).status === 'sent', subject),
  messageId: ({ mailId, messageId }, state) => whether(state('mail', mailId).status === 'sent', messageId),
  reason: ({ mailId, reason }, state) =>
    whether(['refused', 'withheld', 'given-up'].includes(state('mail', mailId).status), reason),
  failedAttempts: ({ mailId }, state) => state('mail', mailId).attempts,
  lastError: ({ mailId, lastError }, state) => whether(state('mail', mailId).attempts > 0, lastError),
  retryAt: only,
  acknowledgedAt: ({ mailId, acknowledgedAt }, state) => whether(state('mail', mailId).isAcknowledged, acknowledgedAt),
};

const webhookColumns: Comparison<WebhookRow>['columns'] = {
  webhookId: only,
  customerId: ({ webhookId }, state) => state('webhook', webhookId).wish?.customerId,
  orderId: ({ webhookId }, state) => state('webhook', webhookId).wish?.orderId,
  leadId: ({ webhookId }, state) => state('webhook', webhookId).wish?.leadId,
  deliveredAt: ({ webhookId }, state) => state('webhook', webhookId).wish?.deliveredAt,
  status: ({ webhookId }, state) => state('webhook', webhookId).status,
  attempts: ({ webhookId }, state) => state('webhook', webhookId).attempts,
  lastError: only,
  retryAt: only,
  acceptedAt: only,
  revision: only,
};

const couponColumns: Comparison<CouponRow>['columns'] = {
  couponId: only,
  couponCode: (row, state) => state('coupon', row.couponId).defined?.code,
  storeIds: (row, state) => state('coupon', row.couponId).defined?.storeIds,
  leadTypeIds: (row, state) => state('coupon', row.couponId).defined?.leadTypeIds ?? null,
  discount: (row, state) => state('coupon', row.couponId).defined?.discount,
  validFrom: (row, state) => state('coupon', row.couponId).defined?.validFrom,
  validUntil: (row, state) => state('coupon', row.couponId).defined?.validUntil ?? null,
  totalLimit: (row, state) => state('coupon', row.couponId).defined?.totalLimit ?? null,
  uses: (row, state) => state('coupon', row.couponId).uses.size,
  customerId: (row, state) => state('coupon', row.couponId).customerId ?? null,
  insteadOf: (row, state) => state('coupon', row.couponId).insteadOf ?? null,
  status: (row, state) => (state('coupon', row.couponId).isRetired ? 'retired' : 'open'),
  definedAt: only,
  retiredAt: ({ couponId, retiredAt }, state) => whether(state('coupon', couponId).isRetired, retiredAt),
  revision: only,
};

const couponUseColumns: Comparison<CouponUseRow>['columns'] = {
  couponUseId: only,
  couponId: only,
  customerId: only,
  checkoutId: only,
  outcome: ({ couponId, customerId, checkoutId, outcome }, state) => {
    const { uses, replaced } = state('coupon', couponId);
    const isOf = (use: { readonly checkoutId: string } | undefined) => use?.checkoutId === checkoutId;
    // An alternative that nobody tried was replaced without a row. Whoever tries it afterwards is refused.
    if (isOf(replaced.get(customerId))) return outcome === 'refused' ? undefined : 'replaced';
    if (isOf(uses.get(customerId))) return 'used';
    return outcome === 'used' ? 'not used in the fold' : outcome;
  },
  refusal: only,
  replacedBy: ({ couponId, customerId, checkoutId, outcome }, state) => {
    if (outcome === 'refused') return null;
    const replaced = state('coupon', couponId).replaced.get(customerId);
    return replaced?.checkoutId === checkoutId ? replaced.by : null;
  },
  triedAt: only,
  orderId: only,
  discountCents: only,
};

const comparisons: readonly Comparison[] = [
  { table: orderTable, columns: orderColumns },
  { table: programmeTable, columns: programmeColumns },
  { table: renewalTable, columns: renewalColumns },
  { table: refundTable, columns: refundColumns },
  { table: disputeTable, columns: disputeColumns },
  { table: replacementTable, columns: replacementColumns },
  { table: leadTable, columns: leadColumns },
  { table: deliveredLeadTable, columns: deliveredLeadColumns },
  { table: customerTable, columns: customerColumns },
  { table: ticketTable, columns: ticketColumns },
  { table: mailTable, columns: mailColumns },
  { table: webhookTable, columns: webhookColumns },
  { table: couponTable, columns: couponColumns },
  { table: couponUseTable, columns: couponUseColumns },
] as unknown as readonly Comparison[];

/** Tables of rows that no caller reads as the state of one thing: keys to find things by, sums for analysts, and receipts, which never change. */
const notCompared = [
  'receipts',
  'customer_receipts',
  'store_taxes',
  'lead_persons',
  'early_ratings',
  'stock',
  'payments',
  'customer_streams',
  'new_addresses',
  'call_backs',
];
export const tablesCompared = (): readonly string[] => comparisons.map(({ table }) => table.name);
export const tablesLeftOut = (): readonly string[] =>
  models
    .filter(({ name }) => name !== 'sales')
    .flatMap(({ tables }) => tables)
    .map(({ name }: AnyTable) => name)
    .filter((name) => !tablesCompared().includes(name) && !notCompared.includes(name));

/** Each difference as `table id column: row, fold`. */
export function differences(facts: readonly Fact[]): readonly string[] {
  const rows = new Rows();
  const states = new Map<string, unknown>();
  for (const fact of facts) {
    for (const model of models) take(rows, model, fact);
    const { decider } = ledger[familyOf(fact.stream)];
    const fold = decider as { initialState(): unknown; evolve(state: unknown, event: Fact): unknown };
    states.set(fact.stream, fold.evolve(states.get(fact.stream) ?? fold.initialState(), fact));
  }
  const state = ((family: FamilyName, id: string) =>
    states.get(`${family}-${id}`) ?? ledger[family].decider.initialState()) as StateOfStream;
  return comparisons.flatMap(({ table, columns }) =>
    rows.changed(table).flatMap((row) => differencesOf(table, columns, row, state)),
  );
}

function differencesOf(
  { name, key }: Table<Record<string, unknown>>,
  columns: Comparison['columns'],
  row: Record<string, unknown>,
  state: StateOfStream,
): readonly string[] {
  return Object.entries(columns).flatMap(([column, said]) => {
    if (said === only) return [];
    const fold = (said as Said<Record<string, unknown>>)(row, state);
    if (fold === undefined || isDeepStrictEqual(row[column], fold)) return [];
    return [
      `${name} ${row[key]} ${column}: ${JSON.stringify(row[column])} in the row, ${JSON.stringify(fold)} in the fold`,
    ];
  });
}
